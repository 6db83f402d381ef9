"""Rule files: what is wrong with them, where; and how a shop's file extends ours."""

import pytest

from relaydesk.classify.classifier import match_rules
from relaydesk.classify.rules_file import load_rules
from relaydesk.classify.yaml_reader import RulesError
from relaydesk.config.parts import shipped_rules

GOOD = """\
rules:
  - name: dispute
    kind: chargeback
    from: 'disputes@shop\\.example'
    subject: {en: ['\\bdispute\\b'], de: ['\\bReklamation\\b']}
    why: the bank's form
    sample: {from: 'Bank <disputes@shop.example>', subject: 'A dispute'}
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RulesError) as caught:
        load_rules(text, "shop.yaml")
    assert str(caught.value)
    return caught.value.problems


def kind(rules, sender: str, subject: str, text: str = "") -> tuple[str, str]:
    match = match_rules(rules.signs(sender, subject, text), rules)
    return match.kind, match.rule


def test_it_takes_the_shipped_file_and_an_empty_one():
    assert [rule.name for rule in shipped_rules().rules][:2] == ["chargeback", "claim-opened"]
    assert all(rule.why and rule.sample.sender for rule in shipped_rules().rules)
    assert load_rules("", "shop.yaml").rules == ()


def test_it_matches_a_subject_in_any_locale():
    rules = load_rules(GOOD, "shop.yaml")
    assert kind(rules, "disputes@shop.example", "Neue Reklamation")[0] == "chargeback"
    assert kind(rules, "disputes@shop.example", "Neue Bestellung")[0] == "unsorted"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("    kind: chargeback", "    kind: chargeback\n    knd: x", 4, "unknown key 'knd'"),
        ("rules:", "ruels: []\nrules:", 1, "unknown key 'ruels'"),
        ("kind: chargeback", "kind: chargback", 3, "use one of case"),
        ("disputes@shop\\.example'", "disputes@(shop\\.example'", 4, "does not compile"),
        ("\\bdispute\\b", "(?=dispute)", 5, "does not compile"),
        ("    why: the bank's form\n", "", 2, "lacks 'why'"),
        ("subject: 'A dispute'", "subject: 'A question'", 2, "does not match its own sample"),
        ("subject: 'A dispute'", "subjet: 'A dispute'", 7, "unknown key 'subjet'"),
        ("['\\bdispute\\b']", "'\\bdispute\\b'", 5, "must be a list"),
        ("    why:", "    relay: perhaps\n    why:", 6, "relay must be true or false"),
        ("    why:", "    hint: {}\n    why:", 6, "hint is empty"),
        ("{from: 'Bank <disputes@shop.example>'", "{from: 'Bank'", 7, "needs a 'from'"),
        ("rules:", "roles: no\nrules:", 1, "must be a list"),
        ("rules:", "labels: {order: {en: ['#']}}\nrules:", 1, "has no word"),
        ("rules:", "links: {order: ['/o/[0-9]+']}\nrules:", 1, "lacks the group"),
        ("rules:", "values: {order: '['}\nrules:", 1, "does not compile"),
        ("rules:", "rules: []\nrules:", 2, "is there twice"),
        ("rules:", "rules: [", 2, "shop.yaml"),
        (GOOD, "- a\n- b\n", 1, "must be a mapping"),
        (GOOD, "rules: {a: b}\n", 1, "must be a list"),
        (GOOD, "rules: [text]\n", 1, "must be a mapping"),
        (GOOD, "\tx: y\n", 1, "shop.yaml"),
    ],
)
def test_it_says_what_is_wrong_and_where(old, new, line, said):
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(said in problem and problem.startswith(f"shop.yaml:{line}:") for problem in found), found


@pytest.mark.parametrize("text", ["rules: 2026-02-30", "rules: " + "[" * 1000, "rules: ["])
def test_it_names_the_file_that_is_no_yaml(text):
    with pytest.raises(RulesError, match=r"^shop\.yaml:1: "):
        load_rules(text, "shop.yaml")


def test_it_names_every_problem_at_once():
    text = GOOD.replace("kind: chargeback", "kind: nothing").replace(
        "    why:", "    relay: 3\n    extra: x\n    why:"
    )
    assert len(problems(text)) == 3


def test_it_names_a_rule_that_an_earlier_one_shadows():
    second = GOOD.replace("rules:\n", "").replace("name: dispute", "name: late")
    (problem,) = problems(GOOD + second)
    assert problem.startswith("shop.yaml:8:")
    assert "'late' is shadowed by 'dispute' (shop.yaml:2)" in problem


def test_it_names_a_rule_that_stands_twice():
    assert any("is defined twice" in problem for problem in problems(GOOD + GOOD.replace("rules:\n", "")))


def test_it_puts_the_shops_rules_first_and_replaces_by_name():
    own = load_rules(
        GOOD.replace("name: dispute", "name: order-notice"),
        "shop.yaml",
    )
    both = shipped_rules().extended(own)
    names = [rule.name for rule in both.rules]
    assert names[0] == "order-notice"
    assert names.count("order-notice") == 1
    assert kind(both, "commerce-no-reply@support.facebook.com", "Your order has shipped")[0] == "unsorted"
    assert kind(both, "disputes@shop.example", "dispute") == ("chargeback", "order-notice")
    assert kind(both, "case++abc@support.instagram.com", "Message from bob")[0] == "case"


def test_it_adds_a_shops_words_and_replaces_its_values():
    own = load_rules(
        "labels: {order: {de: [Bestellnummer]}}\nvalues: {order: 'B[0-9]{5}'}\nroles: [shopteamxy]\n",
        "shop.yaml",
    )
    both = shipped_rules().extended(own)
    assert [(line.kind, line.value) for line in both.form.lines("Bestellnummer: B12345")] == [
        ("order", "B12345")
    ]
    assert both.form.lines("Order number: 64000841784004") == []
    assert kind(both, "shopteamxy@shopping.instagram.com", "x")[0] == "unsorted"


def test_it_refuses_a_shop_file_that_shadows_one_of_ours():
    greedy = GOOD.replace("from: 'disputes@shop\\.example'", "from: '.+'").replace(
        "'\\bdispute\\b'", "'dispute', '^Message from'"
    )
    with pytest.raises(RulesError, match="'instagram-case' is shadowed by 'dispute'"):
        shipped_rules().extended(load_rules(greedy, "shop.yaml"))


def test_it_runs_patterns_in_linear_time():
    slow = GOOD.replace("'\\bdispute\\b'", "'\\bdispute\\b', '((?:\\d+-?)+)x'")
    assert kind(load_rules(slow, "shop.yaml"), "disputes@shop.example", "1" * 5000)[0] == "unsorted"
