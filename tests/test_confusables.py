"""Look-alike names: one skeleton for what a reader cannot tell apart, another for what one can."""

from __future__ import annotations

import pytest
from tests.ledger.entries.test_schema import TARGET

from foresaid.confusables import LOOK_ALIKES, ascii_twin, masked, skeleton
from foresaid.errors import LedgerError
from foresaid.ledger.entries.schema import TargetEntry, parse


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Llama-2", "LIama-2"), ("Llama-2", "L1ama-2"), ("Llama-2", "Llama‑2"), ("Llama-2", "Llama−2"), ("Llama-2", "Ｌlama-2"),
        ("Llama-2", "Lla\u200bma-2"), ("Llama-2", "Llаma-2"), ("GPT-4o", "GPT-40"), ("GPT-4o", "GPT-4о"), ("GPT-4o", "GPT-4ο"),
        ("GPT-4", "ＧＰＴ－４"), ("Phi-3", "Рhі-3"), ("Claude", "\u202eClaude"), ("Claude", "Clаudе"), ("Qwen", "Ԛԝen"),
        ("BERT", "ВЕRT"), ("BERT", "ΒΕRT"), ("MPT-70B", "ΜPT-7०B"), ("Hermes", "Ηermes"), ("Hermes", "Нermes"), ("Nemo", "Νemo"),
    ],
)  # fmt: skip
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert one != other
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize("sign", list(LOOK_ALIKES))
def test_what_the_gate_takes_for_a_look_alike_the_ledger_folds(sign: str) -> None:
    assert skeleton(f"model-{sign}x") == skeleton(f"model-{ascii_twin(sign)}x")
    assert not sign.isalpha() or masked(f"model-{sign}x")


@pytest.mark.parametrize(
    ("one", "other"), [("gpt-4", "gpt-5"), ("phi-3", "phl-3"), ("llama-2", "llama-3"), ("a/b", "a-b"), ("gsm8k_cot", "gsm8k-cot")]
)
def test_names_that_differ_to_the_eye_are_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize("name", ["Mоdel", "model\u2212x", "ｍodel", "mo\u200bdel", "mo\u202edel", "Model", "mo del"])
def test_an_id_is_plain_ascii_or_refused(name: str) -> None:
    line = {**TARGET, "rule": {"kind": "named", "model": "model"}}

    assert isinstance(parse(line), TargetEntry)
    with pytest.raises(LedgerError, match="target/v1"):
        parse({**line, "rule": {"kind": "named", "model": name}})
