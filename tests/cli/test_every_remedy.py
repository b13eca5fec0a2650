"""No advice that names an option is forgotten: a test follows it, or a reason says why not."""

import tests.cli.test_remedies
import tests.cli.test_remedies_of_models  # noqa: F401  # fill FOLLOWED
from tests.cli.remedies import FOLLOWED, advice_in_source

#: Advice that no test here follows.
NOT_FOLLOWED = {
    # No advice, but the command that made a table, and its parts.
    "voxtrail bench --model {} --slices {} --labels {} --peers {} --resolution {} --precision {} "
    "--device {} --repeats {}": "names what was run",
    " --variants {}": "names what was run",
    # Advice of what is done already.
    "--precision bfloat16 takes a third to 0.7 of the time, masks Dice .996 alike": "a hint at "
    "what docs/shortcuts.md measures; tests/model/test_shortcuts runs it",
    "--precision int8 takes about four fifths of the time, masks Dice .996 alike": "likewise",
    "{}: {} at {} pixels; voxtrail segment ... --model {}\n": "tests/export runs it",
    "--model FILE": "a part of another advice",
    "--model FOLDER": "a part of another advice",
    "see 'voxtrail segment --help'": "tests/cli/test_help reads every help",
    "error: {}; see 'voxtrail --help'\n": "tests/cli/test_help reads every help",
    # Usage, refused by typer in its own form.
    "--probabilities, --uncertainty and --overlay name one file; of many scans they are columns of "
    "CASES.csv": "tests/cli/test_batch writes them by columns",
    "IMAGE and PROMPTS stand in CASES.csv, not beside --cases": "tests/cli/test_batch runs tables",
    "Missing IMAGE or PROMPTS; or name many scans with --cases": "tests/cli/test_batch runs tables",
    "--executor is for many scans: --cases, or two patterns": "tests/cli/test_batch runs both",
    "--prompts, --labels and --session go with an IMAGE": "tests/serve/test_annotate opens one",
    # Seldom to be had where tests run.
    "name one with --model, or leave sam2 out of --peers": "the command refuses it before: "
    "test_benches",
    "leave --precision out": "of a processor without bfloat16: test_what_an_exported_model_takes "
    "follows it on one",
    "leave --precision out, or pass --precision int8": "likewise; tests/model/test_shortcuts runs "
    "both",
    "pass --variants int8": "tests/bench/test_bench runs it",
    "write for example --workers 4": "needs a Ray cluster: tests/study/test_on_ray starts workers",
    "start one with 'ray start --head', or leave --address out": "needs Ray: "
    "tests/study/test_on_ray runs without an address",
    "{} rows failed; their records hold the tracebacks, and --retry-failed takes only those": (
        "needs a failure: tests/study/test_runner retries one"
    ),
    # Weights that are given on request.
    "pass the folder with config.json and model.safetensors, which is published beside it, or "
    "--model sam3-tracker": "tests/model/test_sam3_tracker reads such a folder",
    "ask on https://huggingface.co/{}, then run 'hf auth login'; or pass a folder that was "
    "downloaded elsewhere with --model FOLDER": "tests/model/test_sam3_tracker reads a folder",
    # Servers, which run until they are stopped.
    "give a key, or leave --host out": "tests/serve/test_foundation does both",
    "close the other one, or name another --session": "tests/serve/test_annotate does both",
    "crop or resample the scan, or start the server with a larger --max-bytes": "the server of "
    "remote clients is tested in tests/serve",
    "crop or resample it, or start the server with a larger --max-bytes": "the same",
    "pass for example --max-bytes 16G": "tests/cli/test_serve reads sizes",
    "leave --api-key out": "tests/cli/test_serve starts one with a file alone",
    "choose another --port or --host": "tests/serve/test_foundation takes a free port",
}


def test_every_advice_is_followed_or_a_reason_says_why_not():
    found = advice_in_source()
    known = {*FOLLOWED, *NOT_FOLLOWED}
    new = {text: place for text, place in found.items() if text not in known}
    assert not new, f"follow these with a test, or say why not: {new}"
    gone = known - set(found)
    assert not gone, f"no longer in the source: {gone}"
    both = set(FOLLOWED) & set(NOT_FOLLOWED)
    assert not both, f"followed after all: {both}"
