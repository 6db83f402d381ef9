"""Reply templates: what they may say, what is refused and where, and what a template cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from relaydesk.cli import cli
from relaydesk.data import data_path
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.template_variables import (
    MEANINGS,
    SAMPLE_CONTEXTS,
    TemplateProblem,
    variables_of,
)
from relaydesk.outbound.templates import Templates

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = data_path("templates") / "replies"
HEAD = "---\ntitle: T\ndescription: D\n---\n"
KNOWN, UNKNOWN = (variables_of(about) for about in SAMPLE_CONTEXTS)


def folder(path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (path / f"{name.replace('_', '-')}.txt").write_text(text, encoding="utf-8")
    return path


def problem(path: Path, text: str) -> str:
    with pytest.raises(TemplateProblem) as caught:
        Templates.load([folder(path, one=text)]).render("one", KNOWN)
    return str(caught.value)


def test_it_ships_templates_for_the_usual_answers_and_they_are_right():
    shipped = Templates.load([SHIPPED])
    assert [one.name for one in shipped] == [
        "acknowledgement",
        "ask-for-photo",
        "chargeback-evidence",
        "not-our-fault-with-evidence",
        "refund-done",
        "return-label",
        "shipped-with-tracking",
    ]
    assert shipped.check() == []


def test_it_fills_in_what_ticket_and_order_hold(tmp_path):
    spoken = "\n".join(f"{name}={{{{ {name} }}}}" for name in MEANINGS if name != "order.items")
    items = "{% for item in order.items %}{{ item.quantity }} {{ item.name }} {{ item.price }}{% endfor %}"
    text = Templates.load([folder(tmp_path, one=HEAD + spoken + "\n" + items)]).render("one", KNOWN)
    assert text == (
        "order.id=64000841784004\norder.merchant_ref=A-1\norder.state=IN_PROGRESS\norder.amount=19.90\n"
        "order.currency=USD\nbuyer.name=alice\nticket.id=17\nticket.subject=Message from alice\n"
        "agent.name=Robin\nshop.name=Example Shop\nshop.contact=help@shop.example\n2 Blue mug 9.95\n"
    )


def test_it_takes_the_shops_own_over_the_shipped_ones(tmp_path):
    own = folder(tmp_path, refund_done=HEAD + "Paid.", our_own=HEAD + "Hi {{ buyer.name }}")
    found = Templates.load([SHIPPED, own])
    assert found.render("refund-done", KNOWN) == "Paid.\n"
    assert found.render("our-own", KNOWN) == "Hi alice\n"
    assert len(list(found)) == 8


def test_it_says_nothing_of_what_is_not_known():
    for one in Templates.load([SHIPPED]):
        known = variables_of(SAMPLE_CONTEXTS[1], dict.fromkeys(one.needs, "given"))
        text = Templates.load([SHIPPED]).render(one.name, known)
        assert "None" not in text
        assert "  " not in text
        assert "\n\n\n" not in text
        assert ("given" in text) == bool(one.needs)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Hi\n{{ order.colour }}", "one.txt, line 6: order.colour is not known. There are agent.name, buyer"),
        ("Hi\n\n{{ byer.name }}", "one.txt, line 7: byer is not known."),
        ("{% if false %}{{ order.colour }}{% endif %}", "line 5: order.colour is not known"),
        (
            "{% for one in order.items %}\n{{ one.colour }}\n{% endfor %}",
            "one.txt, line 6: colour is not known.",
        ),
        ("{{ order.id", "one.txt, line 5: unexpected end of template"),
        ("{% include 'other' %}", "one.txt, line 5: other."),
        ("{{ 1 / 0 }}", "one.txt, line 5: division by zero."),
    ],
)
def test_it_names_file_and_line_of_what_it_cannot_fill_in(tmp_path, body, told):
    assert told in problem(tmp_path, HEAD + body)
    checked = Templates.load([tmp_path]).check()
    assert len(checked) == 1
    assert told in checked[0]


@pytest.mark.parametrize(
    "body",
    [
        "{{ order.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{% for one in order.items %}{{ one.__init__.__globals__ }}{% endfor %}",
        "{{ '{0.__class__}'.format(order) }}",
        "{% for n in range(1000000000) %}x{% endfor %}",
        "{{ cycler.__init__.__globals__.os }}",
        "{% set order.id = 3 %}",
    ],
)
def test_its_templates_cannot_leave_the_sandbox(tmp_path, body):
    assert "one.txt, line " in problem(tmp_path, HEAD + body)


def test_it_refuses_a_template_without_end_with_a_sentence(tmp_path):
    told = problem(tmp_path, HEAD + '{% include "one" %}')
    assert told == f"{tmp_path / 'one.txt'}: it includes itself, or too many others."


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{{ 'a' * 10 ** 9 }}", "line 5: "),
        (
            "{% for a in [1] %}{% for b in [1] %}{% for c in [1] %}{% endfor %}{% endfor %}{% endfor %}",
            "nested 2 deep",
        ),
        ("{% for a in order.items recursive %}{{ loop(order.items) }}{% endfor %}", "line 5: "),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "a call cannot stand",
        ),
        ("{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(40) }}", "cannot stand in a reply template"),
        ("{% set x = buyer.name %}" + "{% set x = x ~ x %}" * 60, "set may choose a value"),
        ("{% set x = buyer.name %}" + "{% set x = x|sort|string %}" * 60, "set may choose a value"),
        ("{% set x %}{{ buyer.name }}{% endset %}", "a set block"),
        ("{% set ns = namespace(x='a') %}", "line 5: "),
        ("{{ buyer.name" + "|sort|string" * 30 + " }}", "too much for one expression"),
        ("{{ ticket.subject|replace('a', ticket.subject) }}", "replace takes short texts"),
        ("{{ ticket.subject|join(ticket.subject) }}", "join takes short texts"),
        ("{{ 'a'|center(1000000000) }}", "there is no filter center"),
        ("{{ '%1000000000d' % 1 }}", "cannot stand in a reply template"),
        ("{{ '{:1000000000}'.format(1) }}", "a call cannot stand"),
        ("{{ lipsum(1000000) }}", "line 5: "),
        ("{{ " + "9" * 5000 + " }}", "holds a huge number"),
        ("{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}", "nested too deeply"),
        ("{{ " + " ~ ".join(["ticket.subject"] * 500) + " }}", "too much for one expression"),
        ("{% if 1 %}" * 200 + "{% endif %}" * 200, "line "),
        ("x" * 60_000, "larger than 50,000 bytes"),
        (
            "{% for a in ["
            + "1," * 400
            + "] %}{% for b in ["
            + "1," * 400
            + "] %}"
            + "xxxx{% endfor %}{% endfor %}",
            "more than 200,000 characters",
        ),
    ],
)
def test_a_template_that_works_without_end_gets_a_sentence(tmp_path, body, told):
    assert told in problem(tmp_path, HEAD + body)


def test_includes_of_includes_are_counted(tmp_path):
    chain = {f"t{n}": HEAD + f'{{% include "t{n + 1}" %}}' * 2 for n in range(30)}
    place = folder(tmp_path, **chain, t30=HEAD + "x", one=HEAD + '{% include "t28" %}')
    templates = Templates.load([place])
    with pytest.raises(TemplateProblem, match="it includes itself, or too many others"):
        templates.render("t0", KNOWN)
    assert templates.render("one", KNOWN).split() == ["x"] * 4
    (place / "loop.txt").write_text(HEAD + '{% for a in order.items %}{% include "t30" %}{% endfor %}')
    with pytest.raises(TemplateProblem, match="include cannot stand in a loop"):
        Templates.load([place]).render("loop", KNOWN)


@pytest.mark.parametrize(
    "body",
    [
        "{% set name = buyer.name or 'you' %}{{ name|title }}",
        "{{ order.items|join(', ', attribute='name') }}",
        "{% for item in order.items %}{{ loop.index + 1 }}. {{ item.name|truncate(20) }}{% endfor %}",
        "{% if order.id and order.items|length > 1 %}{{ order.items[0].name }}{% endif %}",
        "{{ 'Order ' ~ order.id if order.id else 'Your order' }}{# a remark #}",
        "{% for word in ['a', 'b'] %}{{ word|upper }}{% else %}{% endfor %}",
    ],
)
def test_what_shops_write_is_within_the_bounds(tmp_path, body):
    assert Templates.load([folder(tmp_path, one=HEAD + body)]).check() == []


def test_what_a_buyer_is_called_is_no_template(tmp_path):
    named = variables_of(SAMPLE_CONTEXTS[0], {"note.text": "{{ order.id }}"})
    text = Templates.load(
        [folder(tmp_path, one=HEAD.replace("D\n", "D\nneeds: note.text\n") + "{{ note.text }}")]
    )
    assert text.render("one", named) == "{{ order.id }}\n"


def test_it_asks_for_what_only_the_agent_knows():
    found = Templates.load([SHIPPED])
    with pytest.raises(TemplateProblem, match=r"refund\.amount is needed; give it with --set"):
        found.render("refund-done", KNOWN)
    assert "refunded 5 EUR" in found.render(
        "refund-done", variables_of(SAMPLE_CONTEXTS[0], {"refund.amount": "5 EUR"})
    )
    with pytest.raises(TemplateProblem, match=r"order\.id comes from the ticket"):
        variables_of(SAMPLE_CONTEXTS[0], {"order.id": "3"})
    for malformed in ("tracking", "tracking.__class__", "Tracking.number", "_a.b", ""):
        with pytest.raises(TemplateProblem, match="is not a variable"):
            variables_of(SAMPLE_CONTEXTS[0], {malformed: "x"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello", "begin it with a head"),
        ("", "begin it with a head"),
        ("---\ntitle: T\n", "begin it with a head"),
        ("---\ntitle: T\n---\nx", "must hold a title and a description"),
        ("---\ntitle: T\ncolour: red\n---\nx", "line 3: the head holds lines title, description, needs"),
        ("---\ntitle: T\ndescription: D\nneeds: tracking\n---\nx", "needs names 'tracking'"),
        ("---\ntitle: T\ndescription: D\nneeds: order.id\n---\nx", "needs names 'order.id'"),
    ],
)
def test_it_says_what_is_wrong_with_a_head(tmp_path, text, told):
    assert told in problem(tmp_path, text)


def test_it_says_what_is_wrong_with_a_file_or_folder(tmp_path):
    with pytest.raises(AnswerRefused, match="is not a folder of reply templates"):
        Templates.load([tmp_path / "gone"])
    with pytest.raises(TemplateProblem, match=r"There is no template x; there are acknowledgement, "):
        Templates.load([SHIPPED]).render("x", KNOWN)
    (tmp_path / "Upper Case.txt").write_text(HEAD)
    with pytest.raises(TemplateProblem, match="lower case with hyphens"):
        Templates.load([tmp_path])
    (tmp_path / "Upper Case.txt").unlink()
    (tmp_path / "latin.txt").write_bytes(HEAD.encode() + b"\xe4")
    with pytest.raises(TemplateProblem, match=r"latin\.txt, line 5: this is not UTF-8"):
        Templates.load([tmp_path])


def test_its_commands_list_check_and_preview(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words: str):
        return CliRunner().invoke(cli, ["templates", *words], catch_exceptions=False)

    assert '"needs": [\n      "refund.amount"\n    ]' in run("list", "--json").stdout
    assert run("check").stdout == "All 7 templates are valid.\n"
    assert (
        "We have refunded [refund.amount] for order 64000841784004.\n" in run("preview", "refund-done").stdout
    )
    given = run("preview", "refund-done", "--set", "refund.amount=5 EUR = 6 USD")
    assert "We have refunded 5 EUR = 6 USD for" in given.stdout
    wrong = run("preview", "refund-done", "--set", "refund.amount")
    assert (wrong.exit_code, "is not NAME=VALUE" in wrong.stderr) == (2, True)
    gone = run("preview", "gone")
    assert (gone.exit_code, "There is no template gone" in gone.stderr) == (1, True)
    folder(tmp_path, own=HEAD + "{{ order.colour }}")
    monkeypatch.setenv("RELAYDESK_REPLY_TEMPLATES", str(tmp_path))
    bad = run("check")
    assert (bad.exit_code, "own.txt, line 5: order.colour is not known" in bad.stdout) == (1, True)
