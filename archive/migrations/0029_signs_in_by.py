"""By which driver a person signs in, and their lasting name there."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0028_open_sessions'),
    ]

    operations = [
        migrations.AddField(
            model_name='person',
            name='outside_id',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='person',
            name='signs_in_by',
            field=models.CharField(choices=[('password', 'a password of this system'), ('ldap', "the office's directory (LDAP)"), ('oidc', "the office's sign-in server (OpenID Connect)")], default='password', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='person',
            constraint=models.UniqueConstraint(condition=models.Q(('outside_id', ''), _negated=True), fields=('outside_id',), name='person_one_account_of_an_outside_name'),
        ),
    ]
