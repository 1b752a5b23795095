"""Posts and scopes say what they rest on, who gave and ended them, and in whose place; an account its first password."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0032_notice_names_copies'),
    ]

    operations = [
        migrations.AddField(
            model_name='person',
            name='has_first_password',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='personrole',
            name='basis',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='personrole',
            name='end_reason',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='personrole',
            name='ended_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='personrole',
            name='instead_of',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='unitscope',
            name='basis',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='unitscope',
            name='end_reason',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='unitscope',
            name='ended_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='unitscope',
            name='granted_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='personrole',
            constraint=models.CheckConstraint(condition=models.Q(('instead_of', None), models.Q(('until__isnull', False), models.Q(('person', models.F('instead_of')), _negated=True)), _connector='OR'), name='role_delegation_ends'),
        ),
        migrations.AddConstraint(
            model_name='unitscope',
            constraint=models.CheckConstraint(condition=models.Q(('person', models.F('granted_by')), _negated=True), name='scope_two_people'),
        ),
    ]
