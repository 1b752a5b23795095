"""Posts and scopes: given by somebody else, on a decision, for a time; kept apart, never left unfilled, never made longer."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive import access, clearing, digests, posting, sequencing
from archive.clearing import Decision
from archive.forms.clearing import end_of
from archive.models import AuditEntry, Clearance, Person, PersonRole, Unit, UnitScope
from archive.posting import Term
from archive.rules.errors import Forbidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import APART, Action, Role
from archive.standing import during, people_with, standing
from config.tests.office import LONG_AGO, borne_out

DAY = timedelta(days=1)
CONTENT = set(Role) - APART - {Role.SECURITY}


@pytest.fixture
def newcomer(office):
    """Somebody with an account and nothing else."""
    return Person.objects.create(username="moi", full_name="Đồng chí Mới", unit=office.other_unit)


def term(days=None, *, after=0, basis="QĐ 15/QĐ-BCH"):
    since = timezone.now() + after * DAY
    return Term(since, None if days is None else since + days * DAY, basis)


def give(office, role, to, days=None, **more):
    after = more.pop("after", 0)
    return posting.give_post(
        role, term=term(days, after=after), to=to, actor=more.pop("actor", office.security), **more
    )


def end(office, row, **more):
    return posting.end_post(row, reason="Chuyển công tác", actor=more.pop("actor", office.security), **more)


def row_of(person, role):
    return PersonRole.objects.get(person=person, role=role)


def test_a_post_is_given_on_a_decision_told_and_under_a_digest(office, newcomer, last_entry):
    given = give(office, Role.CLERK, newcomer)
    assert standing(newcomer, timezone.now()).roles == {Role.CLERK}
    assert (given.granted_by, given.basis, given.until) == (office.security, "QĐ 15/QĐ-BCH", None)
    entry = last_entry()
    assert (entry.action, entry.object_id, entry.detail.payload["post"]) == ("post.give", str(newcomer.pk), "clerk")
    assert digests.holds(given)
    ended = end(office, given)
    assert standing(newcomer, timezone.now()).roles == frozenset()
    assert (ended.ended_by, ended.end_reason) == (office.security, "Chuyển công tác")
    assert digests.holds(ended)


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "admin", "stranger"])
def test_nobody_but_the_security_officer_gives_or_ends_posts_and_scopes(office, newcomer, name):
    actor = getattr(office, name)
    for act in (
        lambda: give(office, Role.STAFF, newcomer, actor=actor),
        lambda: posting.give_scope(office.command, term=term(), to=newcomer, actor=actor),
        lambda: end(office, row_of(office.clerk, Role.CLERK), actor=actor),
        lambda: posting.end_scope(UnitScope.objects.get(person=office.clerk), reason="x", actor=actor),
    ):
        with pytest.raises(Forbidden):
            act()


def test_nobody_gives_or_ends_their_own_not_even_in_the_database(office):
    with pytest.raises(Forbidden):
        give(office, Role.LEADER, office.security)
    with pytest.raises(Forbidden):
        posting.give_scope(office.command, term=term(), to=office.security, actor=office.security)
    give(office, Role.SECURITY, office.leader)
    with pytest.raises(Forbidden):
        end(office, row_of(office.security, Role.SECURITY))
    own = {"person": office.security, "granted_by": office.security, "since": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonRole.objects.create(role=Role.CLERK, **own)
    with pytest.raises(IntegrityError), transaction.atomic():
        UnitScope.objects.create(unit=office.command, **own)


@pytest.mark.parametrize("apart", sorted(APART))
@pytest.mark.parametrize("other", sorted(set(Role)))
def test_who_watches_or_runs_holds_nothing_else_in_either_order(office, newcomer, apart, other):
    for first, second in ((apart, other), (other, apart)):
        PersonRole.objects.filter(person=newcomer).delete()
        give(office, first, newcomer, days=10)
        with pytest.raises(posting.HeldAlready if first == second else posting.PostsApart):
            give(office, second, newcomer, after=9)
        give(office, second, newcomer, after=10)


def test_the_administrator_has_no_clearance_whichever_came_first(office, newcomer):
    now = timezone.now()
    decision = Decision(Level.MAT, now, now + 5 * DAY, "QĐ 12", "Trực")
    clearing.give(decision, to=newcomer, actor=office.security)
    with pytest.raises(posting.Cleared):
        give(office, Role.ADMIN, newcomer)
    give(office, Role.ADMIN, newcomer, after=6)
    with pytest.raises(clearing.NotForTheMachine):
        clearing.give(Decision(Level.MAT, now + 5 * DAY, None, "QĐ 13", "Trực"), to=newcomer, actor=office.security)
    assert not Clearance.objects.filter(person=newcomer, basis="QĐ 13").exists()


@pytest.mark.parametrize("apart", sorted(APART))
def test_a_post_apart_and_a_scope_are_never_together(office, newcomer, apart):
    scope = posting.give_scope(office.command, term=term(5), to=newcomer, actor=office.security)
    with pytest.raises(posting.ScopeOfNothing):
        give(office, apart, newcomer)
    posting.end_scope(scope, reason="Đổi việc", actor=office.security)
    give(office, apart, newcomer, days=5)
    with pytest.raises(posting.ScopeOfNothing):
        posting.give_scope(office.command, term=term(), to=newcomer, actor=office.security)


def test_a_scope_opens_the_papers_of_a_unit_and_its_end_closes_them_at_once(office, newcomer, make_record):
    record = make_record()
    give(office, Role.STAFF, newcomer)
    assert access.may(newcomer, Action.RECORD_READ, record).hidden
    scope = posting.give_scope(office.registry, term=term(), to=newcomer, actor=office.security)
    assert access.may(newcomer, Action.RECORD_READ, record).allowed
    with pytest.raises(posting.HeldAlready):
        posting.give_scope(office.registry, term=term(), to=newcomer, actor=office.security)
    ended = posting.end_scope(scope, reason="Hết nhiệm vụ", actor=office.security)
    assert access.may(newcomer, Action.RECORD_READ, record).hidden
    assert (ended.granted_by, ended.ended_by) == (office.security, office.security)
    with pytest.raises(posting.TermOver):
        posting.end_scope(scope, reason="x", actor=office.security)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SECURITY])
def test_the_last_of_a_post_that_must_be_filled_keeps_it(office, newcomer, role):
    second = Person.objects.create(username="hai", full_name="Đồng chí Hai", unit=office.command)
    actor = office.security
    if role is Role.SECURITY:
        give(office, Role.SECURITY, second, days=30)  # one who will be gone does not count
        actor = second
    holder = getattr(office, role.name.lower())
    with pytest.raises(posting.LastOfPost):
        end(office, row_of(holder, role), actor=actor)
    give(office, role, newcomer, actor=actor)
    end(office, row_of(holder, role), actor=actor)
    assert newcomer in people_with(role, timezone.now())


def test_a_delegation_ends_at_midnight_in_the_middle_of_a_session(office, newcomer, signed_in, monkeypatch):
    office.newcomer = newcomer
    midnight = end_of(timezone.localdate())
    just_before, just_over = midnight - timedelta(minutes=1), midnight + timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: just_before)
    posting.give_post(
        Role.CLERK, term=Term(timezone.now(), midnight, "GUQ 03"), to=newcomer, actor=office.security,
        instead_of=office.clerk,
    )  # fmt: skip
    posting.give_scope(
        office.registry, term=Term(timezone.now(), midnight, "GUQ 03"), to=newcomer, actor=office.security
    )
    browser = signed_in("newcomer")
    page = browser.get("/register/")
    assert page.status_code == 200
    assert 'href="/registers/"' in page.content.decode()
    monkeypatch.setattr(timezone, "now", lambda: just_over)
    assert browser.get("/register/").status_code == 403
    rail = browser.get("/").content.decode()
    assert 'href="/registers/"' not in rail
    assert 'href="/search/"' not in rail.split("<main")[0].split("<header")[0]


def test_a_delegation_rests_on_the_post_of_another_ends_with_it_and_is_not_handed_on(office, newcomer):
    third = Person.objects.create(username="ba", full_name="Đồng chí Ba", unit=office.command)
    for wrong in ({"days": None}, {"instead_of": office.clerk}, {"instead_of": newcomer}):
        with pytest.raises(posting.NotTheirsToDelegate):
            give(office, Role.LEADER, newcomer, **{"days": 10, "instead_of": office.leader} | wrong)
    stands_in = give(office, Role.LEADER, newcomer, days=10, instead_of=office.leader)
    with pytest.raises(posting.NotTheirsToDelegate):
        give(office, Role.LEADER, third, days=5, instead_of=newcomer)
    end(office, row_of(office.leader, Role.LEADER))
    stands_in.refresh_from_db()
    assert Role.LEADER not in standing(newcomer, timezone.now()).roles
    assert stands_in.end_reason == "Chuyển công tác"
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonRole.objects.create(person=third, role=Role.LEADER, since=timezone.now(), instead_of=office.leader)


def test_a_post_only_ends_earlier_and_what_has_not_begun_never_does(office, newcomer):
    given = give(office, Role.STAFF, newcomer, days=10)
    for later in (given.until, given.until + DAY, timezone.now() - DAY):
        with pytest.raises(posting.NotEarlier):
            end(office, given, until=later)
    shorter = end(office, given, until=given.until - DAY)
    assert shorter.until == given.until - DAY
    coming = give(office, Role.STAFF, newcomer, days=10, after=20)
    ended = end(office, coming)
    assert ended.until == ended.since
    assert not PersonRole.objects.filter(during(timezone.now() + 15 * DAY, None), person=newcomer).exists()
    give(office, Role.ADMIN, newcomer, after=15)
    with pytest.raises(posting.TermOver):
        end(office, coming)


def test_what_is_not_complete_not_in_time_or_not_in_use_is_refused(office, newcomer):
    for wrong in (
        Term(timezone.now() - DAY, None, "QĐ"),
        Term(timezone.now(), timezone.now() - DAY, "QĐ"),
        Term(timezone.now() + 2 * DAY, timezone.now() + DAY, "QĐ"),
    ):
        with pytest.raises(posting.WrongTerm):
            posting.give_post(Role.STAFF, term=wrong, to=newcomer, actor=office.security)
    with pytest.raises(posting.NoGround):
        posting.give_post(Role.STAFF, term=term(basis=" "), to=newcomer, actor=office.security)
    with pytest.raises(posting.NoGround):
        posting.end_post(row_of(office.staff, Role.STAFF), reason=" ", actor=office.security)
    Unit.objects.filter(pk=office.other_unit.pk).update(is_active=False)
    with pytest.raises(posting.NotInUse):
        posting.give_scope(office.other_unit, term=term(), to=newcomer, actor=office.security)
    Person.objects.filter(pk=newcomer.pk).update(is_active=False)
    with pytest.raises(posting.NotInUse):
        give(office, Role.STAFF, newcomer)


@pytest.mark.parametrize("role", sorted(posting.OF_PEOPLE))
def test_a_machine_decides_nothing_and_watches_nobody(office, newcomer, role):
    Person.objects.filter(pk=newcomer.pk).update(is_service=True)
    with pytest.raises(posting.NotForMachines):
        give(office, role, newcomer)
    give(office, Role.CLERK, newcomer)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_tried_duties_stay_apart_and_the_log_bears_every_row_out(office, seed):
    """Draw acts by anybody on anybody at any time; look at each day of the next weeks as they go."""
    dice, done = random.Random(seed), 0
    people = [office.security, office.admin, office.staff, office.stranger, office.auditor, office.archivist]
    people += [Person.objects.create(username=f"m{n}", full_name=f"M {n}", unit=office.command) for n in range(2)]
    for officer in (office.security, people[-1]):
        PersonRole.objects.get_or_create(person=officer, role=Role.SECURITY, defaults={"since": LONG_AGO})
    borne_out()
    for _each in range(50):
        try:
            _draw(office, people, dice)
        except Refusal:
            continue
        done += 1
        if done % 4 == 0:
            _look(people)
    assert done > 10
    sequencing.place_all()
    assert list(digests.faults()) == []
    acts = ("post.give", "post.end", "scope.give", "scope.end", "clearance.give")
    assert AuditEntry.objects.filter(action__in=acts).count() == done


def _draw(office, people, dice):
    actor, person = dice.choice(people), dice.choice(people)
    actor = dice.choice([actor, office.security, people[-1]])
    days = dice.choice([None, 3, 7, 14])
    when = term(days, after=dice.choice([0, 0, 2, 5]))
    kind = dice.choice(["post", "post", "post", "end", "scope", "unscope", "clear"])
    if kind == "post":
        stand = {"instead_of": dice.choice(people)} if dice.random() < 0.2 else {}
        posting.give_post(dice.choice(list(Role)), term=when, to=person, actor=actor, **stand)
    elif kind == "scope":
        posting.give_scope(dice.choice([office.command, office.registry]), term=when, to=person, actor=actor)
    elif kind == "clear":
        decision = Decision(Level.MAT, when.since, when.until, "QĐ", "Trực")
        clearing.give(decision, to=person, actor=actor)
    else:
        rows = list((PersonRole if kind == "end" else UnitScope).objects.filter(person=person))
        if not rows:
            raise Refusal
        (posting.end_post if kind == "end" else posting.end_scope)(dice.choice(rows), reason="Đổi việc", actor=actor)


def _look(people):
    for moment in (timezone.now() + n * DAY + DAY / 2 for n in range(20)):
        for person in people:
            stands = standing(person, moment)
            scoped = UnitScope.objects.filter(during(moment, moment + timedelta(seconds=1)), person=person).exists()
            assert not stands.roles & APART or (len(stands.roles) == 1 and not scoped), (person, moment)
            assert Role.ADMIN not in stands.roles or stands.level == Level.THUONG, (person, moment)
        for role in posting.FILLED:
            assert people_with(role, moment).exists(), (role, moment)
