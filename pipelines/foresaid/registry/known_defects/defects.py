"""The known traps, source by source: which check catches each, by which rule, and how to see on the real files that it does.

A trap that is a fact about the data and not about rows is `stated`: the rule says what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from foresaid.registry.known_defects.detectors import (
    Measure,
    absent,
    added_late,
    adversarial_rows,
    always,
    below_ceiling,
    chances,
    empty_cells,
    english_only,
    fractions,
    intervals,
    kind_checkpoint,
    known_on,
    left_out,
    main_checkpoint,
    marked,
    never,
    not_read,
    one_key_a_value,
    parsed,
    read_columns,
    rising,
    settings,
    shared_rows,
    skipped,
    suspects,
    zeros,
)

MOE = (
    "mistralai/Mixtral-8x22B-v0.1",
    "deepseek-ai/DeepSeek-V2",
    "deepseek-ai/DeepSeek-Coder-V2-Base",
    "ai21labs/Jamba-v0.1",
    "Qwen/Qwen2-57B-A14B",
)
BENCH = "eval_results/base_llm_benchmark_eval.csv"
ALPACA = "docs/data_AlpacaEval_2/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
BASE = ("MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "GSM8K", "XWinograd", "HumanEval")
OLD, NEW = "data/open-llm-leaderboard_old.csv", "data/open-llm-leaderboard_new.csv"
PEAK = "src/scripts/paper/data/ladder-runs/peteish7_eval_full.csv"
NMT = "revisiting_neural_scaling_laws/data/benchmark.lang.nmt-rows.csv"


@dataclass(frozen=True)
class Trap:
    """One trap: where it is caught, by which rule, and how to see that it is."""

    check: str
    rule: str
    measure: Measure | None = None


# In the order of SOURCES.yaml; a test holds the two together.
TRAPS: dict[str, tuple[Trap, ...]] = {
    "obsscaling": (
        Trap(
            "reader, gate `size`",
            "more than 1e14 tokens is a slip of units: suspect, with the reason",
            below_ceiling(BENCH, "Pretraining Data Size (T)", "training_tokens", 1e12),
        ),
        Trap(
            "reader",
            "a size that is not the total of a mixture of experts is suspect as params_total",
            marked(BENCH, lambda row: row["Model"] in MOE, ["params_total"]),
        ),
        Trap("reader", "a quantised variant says so in its note", marked(BENCH, lambda row: row["Model"].endswith("-FP8"))),
        Trap(
            "reader",
            "an empty cell gives no value; laws impute on training rows",
            empty_cells(BENCH, (*BASE, "Model Size (B)", "Pretraining Data Size (T)", "FLOPs (1E21)")),
        ),
        Trap(
            "quantities.csv",
            "each quantity holds its own chance level",
            chances(
                {
                    "mmlu": 0.25,
                    "hellaswag": 0.25,
                    "arc_challenge": 0.25,
                    "winogrande": 0.5,
                    "xwinograd": 0.5,
                    "gsm8k": 0.0,
                    "humaneval": 0.0,
                }
            ),
        ),
        Trap("reader", "Winograd and Winogrande are one quantity", read_columns(BENCH, "Winograd")),
    ),
    "obsscaling-2024-05": (
        Trap("update", "rows are compared by key and to 1e-12, never by order: none is revised", shared_rows),
        Trap("update, guard", "a model out by the vintage before is called late and is no target", added_late),
    ),
    "sloth": (
        Trap("reader", "each generation has quantities of its own; v2 is read from the Raw columns", fractions()),
        Trap("reader", "columns are named exactly, emoji included", read_columns(OLD, "Average ⬆️", "Hub ❤️")),
        Trap(
            "reader",
            "merged and flagged rows of the v1 table give no value",
            left_out(OLD, lambda row: row["Merged"] == "False" or row["Flagged"] == "False", lambda row: False),
        ),
        Trap("reader, gate `duplicates`", "a precision is a setting or left out: no key has two values", one_key_a_value),
        Trap("reader", "a column with a leading blank is refused unless named so", not_read("data/training_tokens.csv")),
        Trap("stated", "the files are not in the mirror and not read"),
    ),
    "olmo-ladder": (
        Trap("law", "both forms of MMLU are quantities of their own; the threshold law may answer `no_threshold`"),
        Trap(
            "reader",
            "ladder runs give no multiple-choice value",
            never(lambda one: one.quantity_id == "olmo_mmlu_mc" and "/7b" not in one.subject),
        ),
        Trap("reader", "step 0 is left out and counted", skipped("step 0", PEAK, lambda row: float(row["_step"]) == 0)),
        Trap("reader", "a checkpoint in mid-run is of kind checkpoint", kind_checkpoint),
        Trap("law", "fewer than three rows above the threshold is `too_few_points` or `no_threshold`"),
    ),
    "gadre-scaling": (
        Trap("reader", "percent baselines become the chance of each quantity", fractions()),
        Trap("reader", "a validation set is chosen by name and must occur once for the last checkpoint", one_key_a_value),
        Trap("card", "paths are pinned with their own spelling", parsed),
        Trap("stated", "series of fewer than `at_least` points are not fitted"),
        Trap("law", "an asymptote at its bound has status at_bound"),
    ),
    "gemstones": (
        Trap("reader", "main is joined to its step", main_checkpoint),
        Trap(
            "reader",
            "a vocabulary is a setting: losses of different tokenisers share no key",
            settings("data/our_val_loss_data.json", "vocabulary="),
        ),
        Trap("quantities.csv", "each task holds its own chance level"),
    ),
    "pythia-evals": (
        Trap("law", "MMLU of Pythia is fitted as a control; `no_threshold` is a status"),
        Trap("reader", "the size is read where five-shot names put it", parsed),
        Trap(
            "reader",
            "steps times 2,097,152 are the tokens",
            never(lambda one: one.quantity_id == "training_tokens" and one.value % 2_097_152 != 0),
        ),
        Trap("quantities.csv", "chance of the two tasks is one half", chances({"pythia_piqa": 0.5, "pythia_winogrande": 0.5})),
    ),
    "dclm-models": (
        Trap("reader", "raw task columns only; chance-corrected ones have other names", fractions()),
        Trap("reader", "task perplexities are no loss", absent("dclm_perplexity")),
        Trap("gate `duplicates`", "one row a model is chosen, the others counted", one_key_a_value),
        Trap("stated", "the data set is part of the subject; a law over these rows is one over data sets"),
    ),
    "chinchilla-points": (
        Trap("reader", "tokens are FLOPs over six times parameters", fractions("tokens")),
        Trap("reader", "the five outliers are suspect, with the reason", suspects(5, "loss")),
        Trap("stated", "losses were read from a colour scale and carry that error"),
    ),
    "steplaw": (
        Trap("reader", "rows that are badly tuned on purpose are told from the lower envelope"),
        Trap(
            "reader",
            "a loss of a run that diverged is suspect or left out",
            never(lambda one: one.quantity_id.endswith("loss") and one.value > 8.0 and one.status == "reported" and not one.note),
        ),
        Trap("reader", "smooth loss is read, not the last step's", read_columns("data/dense_lr_bs_loss.csv", "smooth loss")),
    ),
    "data-constrained": (
        Trap("reader", "rows of less than one epoch are told apart by unique_tokens"),
        Trap("stated", "runs of many epochs do not enter a law of N and D alone"),
    ),
    "finetune-loss": (
        Trap("reader", "the size is finetuning_examples, a quantity of its own", absent("training_tokens")),
        Trap("law", "zero examples stay zero; a law that takes logarithms leaves them out and counts them"),
        Trap("reader", "English-only tokenisers on Chinese say so in the note", english_only),
        Trap("reader", "a loss that rises with examples says so in the note", rising),
        Trap("stated", "losses and BLEU are quantities of their own", absent("koehn_knowles_bleu")),
    ),
    "nmt-learning-curves": (
        Trap("stated", "a case that holds out the test point scores one row a curve"),
        Trap("gate `duplicates`", "the repeated block is read once and counted", one_key_a_value),
        Trap("law", "a curve that rises has status non_monotone"),
        Trap("reader", "seen examples are their own quantity", read_columns(NMT, "Seen Examples")),
    ),
    "koehn-knowles-2017": (
        Trap(
            "reader",
            "the value nobody compared is suspect",
            marked(
                "koehn-knowles-2017-figure-3.csv",
                lambda row: row["system"] == "phrase_based" and row["corpus_fraction_denominator"] == "1",
                ["koehn_knowles_bleu"],
            ),
        ),
        Trap("reader", "the size is training_words, a quantity of its own", absent("training_tokens")),
        Trap("law", "series below `at_least` and residuals show the crossing; the status says what the fit is worth"),
        Trap("reader", "derived words are checked against 385.7e6 over the denominator", parsed),
    ),
    "monkeys-power": (
        Trap("gate `finite`", "an infinite score is refused or left out", fractions()),
        Trap("reader", "problems are averaged first", one_key_a_value),
        Trap(
            "reader",
            "the number of samples stands in n",
            always(lambda one: one.quantity_id == "math_solve_rate", lambda one: one.n is not None),
        ),
        Trap("quantities.csv", "coverage is a quantity of its own, not accuracy"),
    ),
    "o1-mini-aime": (
        Trap("reader", "30 questions stand in n or in the protocol"),
        Trap("reader", "the axis is avg_tokens_used", parsed),
        Trap("law", "a curve that falls has status non_monotone"),
    ),
    "effort-tokens": (
        Trap("reader", "effort is told by tokens"),
        Trap("aliases.csv", "two spellings of a benchmark are one quantity", one_key_a_value),
        Trap("reader", "a point read from a figure says so in its note"),
        Trap("reader", "aggregates are left out"),
        Trap("law", "a straight line in log tokens is scored, not trusted"),
        Trap("reader", "proprietary fields are not read"),
    ),
    "weirdml": (
        Trap("reader, `identity`", "effort is a setting: no key has two values", one_key_a_value),
        Trap("reader", "standard errors and runs are kept with the value"),
        Trap("quantities.csv", "chance is empty"),
    ),
    "epoch-hub-2026-03": (
        Trap("reader", "each file's score column is named in the reader", parsed),
        Trap(
            "gate `duplicates`",
            "shots, scaffolds and sources are settings; what is left is chosen by rule and counted",
            one_key_a_value,
        ),
        Trap("guard", "a model without a date enters no split by date"),
        Trap(
            "`identity`",
            "an effort suffix is a setting",
            never(lambda one: one.subject.rsplit("_", 1)[-1] in ("high", "medium", "low", "xhigh") and not one.setting),
        ),
        Trap("law", "missing compute is imputed or not needed; its absence is a status"),
        Trap("card", "known_on is the day of the download, release dates are in models.csv"),
        Trap("quantities.csv", "ECI is an index: it resolves no forecast of a benchmark"),
        Trap("gate `zero`", "0.0 where guessing scores more stands for missing", fractions()),
    ),
    "epoch-stitching-2025-12": (
        Trap("reader", "release dates are joined on Model version"),
        Trap("reader", "a byte-order mark is not part of the first name", parsed),
        Trap("reader", "both spellings of dates are read exactly or refused"),
        Trap("stated", "the file is not in the mirror"),
    ),
    "epoch-models-2026-01": (
        Trap("reader", "quoted cells with commas and line breaks are read by a CSV parser", parsed),
        Trap("aliases.csv", "names are resolved by alias or refused with the nearest"),
        Trap("reader", "a speculative value says so in its note"),
        Trap("flags `compute`", "compute beyond ten times 6ND is flagged; a fine-tuned model says so"),
    ),
    "livebench-2026-06": (
        Trap("reader", "the release is part of the quantity or setting: releases never mix", one_key_a_value),
        Trap("reader", "averages are over subtasks in a category, then over categories", fractions()),
        Trap("reader, `identity`", "effort is a setting: no key has two values", one_key_a_value),
        Trap("update", "a row that goes is withdrawn, one that changes revised"),
    ),
    "aider": (
        Trap("reader", "the run date is not the release date"),
        Trap("reader, gate `duplicates`", "edit format and effort are settings: no key has two values", one_key_a_value),
        Trap(
            "reader",
            "a cost of 0.0 gives no value",
            always(lambda one: one.quantity_id.endswith("_cost"), lambda one: one.value > 0),
        ),
        Trap("reader", "quantisations and providers are settings, or the file is left out"),
        Trap("reader", "pass_rate_2 is the value, as a fraction", fractions()),
    ),
    "metr-horizon-2026-01": (
        Trap("reader", "each version of the suite is a quantity of its own", one_key_a_value),
        Trap("update", "a later vintage revises; both values stay"),
        Trap("reader", "doubling_time_in_days is no model", never(lambda one: "doubling" in one.subject.lower())),
    ),
    "eee-helm": (
        Trap("card", "known_on is the day of the commit, not the scrape", known_on(date(2026, 2, 12))),
        Trap("reader", "both schema versions are read, others refused", parsed),
        Trap("stated", "the commit is pinned"),
        Trap(
            "reader",
            "the mean over the others is no benchmark",
            always(lambda one: True, lambda one: "mean" not in one.quantity_id),
        ),
        Trap("card", "files are pinned by path and SHA-256", parsed),
    ),
    "eee-schema": (Trap("stated", "the schema in the mirror is the one read, pinned by its SHA-256"),),
    "evalplus": (
        Trap("card", "known_on is the day of the commit", known_on(date(2024, 12, 26))),
        Trap("reader", "a size of null gives no value"),
        Trap("quantities.csv", "the protocol names the version of MBPP+", fractions()),
    ),
    "alpaca-eval": (
        Trap(
            "reader, flags `adversarial`",
            "a system made to cheat the judge gives no reported value",
            adversarial_rows(ALPACA, "name"),
        ),
        Trap("reader", "ensembles are no models", marked(ALPACA, lambda row: "SelfMoA" in row["name"])),
        Trap("card", "known_on is the day of the commit", known_on(date(2025, 8, 9))),
    ),
    "lmarena-2025-08": (
        Trap("reader", "interval text is parsed; a number column refuses it", intervals),
        Trap("quantities.csv", "Elo is an index in points; dated vintages keep each pool"),
    ),
    "lmarena-history": (
        Trap("reader, gate `zero`", "0.0 is left out", zeros),
        Trap("update", "each leaderboard date is a vintage: what changes is a revision"),
        Trap("reader", "the first column is the date", parsed),
    ),
}
