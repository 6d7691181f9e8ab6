"""`models pull OWNER/NAME` through the real client, from a server here that speaks the Hub's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_server import HubServer, Repository, commit_of
from huggingface_hub import constants
from toy_models import TOY, write_model

from blog_gen.errors import ModelError, UsageError
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights
from blog_gen.model.zoo import hub, zoo
from blog_gen.model.zoo.catalogue import list_models

NAME = "people/small-gpt2"
BIN = Path(__file__).parents[1] / "formats" / "golden" / "zip.bin"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder as transformers saves it."""
    write_checkpoint(open_checkpoint(write_model(tmp_path / "original")), "hf", tmp_path / "published")
    return tmp_path / "published"


@pytest.fixture
def server(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    server = HubServer()
    server.repositories[NAME] = Repository.of(published)
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    # What the client makes of HF_ENDPOINT and HF_HOME when it is imported.
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    yield server
    server.stop()


def same(folder: Path, original: Path) -> bool:
    one, other = load_weights(folder, TOY), load_weights(original, TOY)
    return all(np.array_equal(one[name], other[name]) for name in other)


def test_a_model_is_pulled_found_and_not_pulled_again(server: HubServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{NAME} is not on this machine yet.*models pull {NAME}"):
        zoo.resolve(NAME)
    folder = hub.pull(NAME)
    assert folder == zoo.resolve(NAME) == tmp_path / "cache" / "hub" / "people" / "small-gpt2"
    assert same(folder, tmp_path / "original")
    origin = json.loads((folder / "meta.json").read_text("utf-8"))["origin"]
    assert origin == {"format": "hf", "from": NAME, "commit": commit_of("main")}
    assert NAME in [model.name for model in list_models()[0]]
    server.requests.clear()
    assert hub.pull(NAME) == folder
    assert server.requests == []


def test_the_command_takes_the_server_from_the_environment(server: HubServer, tmp_path: Path) -> None:
    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "blog_gen.cli", "models", "pull", NAME]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.count(NAME)) == (0, 4), done.stderr
    assert same(zoo.resolve(NAME), tmp_path / "original")


def test_a_revision_is_a_model_of_its_own(server: HubServer, tmp_path: Path) -> None:
    other = write_model(tmp_path / "other", seed=7)
    write_checkpoint(open_checkpoint(other), "hf", tmp_path / "hf-other")
    files = Repository.of(tmp_path / "hf-other").revisions["main"]
    server.repositories[NAME].revisions |= {"refs/pr/3": files}
    folder = hub.pull(f"{NAME}@refs/pr/3")
    assert zoo.resolve(f"{NAME}@refs/pr/3") == folder != hub.pull(NAME)
    assert same(folder, other)
    assert {NAME, f"{NAME}@refs/pr/3"} <= {model.name for model in list_models()[0]}
    with pytest.raises(ModelError, match="no such revision"):
        hub.pull(f"{NAME}@v9")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"model_type": "opt", "architectures": ["OPTForCausalLM"]},
            "OPTForCausalLM: model_type 'opt'",
        ),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "BertForMaskedLM"),
        ({"activation_function": "relu"}, "activation_function 'relu'"),
    ],
)
def test_another_network_is_refused_before_its_weights(
    server: HubServer, change: dict[str, object], said: str
) -> None:
    files = server.repositories[NAME].revisions["main"]
    files["config.json"] = json.dumps(json.loads(files["config.json"]) | change).encode()
    with pytest.raises(ModelError, match=f"the network must be GPT-2's or Llama's; got .*{said}"):
        hub.pull(NAME)
    assert server.fetched(".safetensors") == []


def test_another_tokenizer_is_refused_before_the_weights(server: HubServer) -> None:
    files = server.repositories[NAME].revisions["main"]
    files["vocab.txt"] = files.pop("vocab.json")
    with pytest.raises(ModelError, match="got BERT's word pieces"):
        hub.pull(NAME)
    assert server.fetched(".safetensors") == []


def only_pickled(server: HubServer) -> Repository:
    """Of the golden file's names none is a weight of GPT-2: what is read is seen by the error."""
    files = server.repositories[NAME].revisions["main"]
    del files["model.safetensors"]
    files["pytorch_model.bin"] = BIN.read_bytes()
    return server.repositories[NAME]


def test_where_there_is_only_a_pickle_its_tensors_are_read(server: HubServer) -> None:
    only_pickled(server)
    with pytest.raises(ModelError, match=r"must be a complete GPT-2.*brain is unknown; double is unknown"):
        hub.pull(NAME)
    assert not zoo.is_model(zoo.cached_folder(NAME))


def test_safetensors_of_the_converters_pull_request_are_preferred(
    server: HubServer, published: Path, tmp_path: Path
) -> None:
    repository, weights = only_pickled(server), (published / "model.safetensors").read_bytes()
    repository.offer(1, "somebody", {"model.safetensors": b"not these"})
    repository.offer(2, "SFconvertbot", {"model.safetensors": b"of an older commit"}, parent="older")
    repository.offer(3, "SFconvertbot", {"model.safetensors": weights})
    assert same(hub.pull(NAME), tmp_path / "original")
    assert server.fetched("pytorch_model.bin") == []
    assert [path for path in server.fetched(".safetensors") if commit_of("refs/pr/3") not in path] == []


def test_several_files_of_weights(server: HubServer, tmp_path: Path) -> None:
    files = server.repositories[NAME].revisions["main"]
    files["model-00001-of-00001.safetensors"] = files.pop("model.safetensors")
    places = {"transformer.wte.weight": "model-00001-of-00001.safetensors"}
    files["model.safetensors.index.json"] = json.dumps({"weight_map": places}).encode()
    assert same(hub.pull(NAME), tmp_path / "original")


def test_what_broke_off_is_gone_on_with(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same call, and by the next one."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's attempts
    server.cuts = [5000, 9000, *[0] * 6]
    with pytest.raises(ModelError, match="What was downloaded is kept; run the same command again"):
        hub.pull(NAME)
    server.cuts = []
    assert same(hub.pull(NAME), tmp_path / "original")
    starts = [int(spread[6:-1]) for _, path, spread in server.requests if path.startswith("cdn/") and spread]
    assert (starts[0], set(starts[1:])) == (5000, {14000})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ((401, "RepoNotFound"), "no such model, or you may not see it.*if it is private, sign in"),
        ((404, "RepoNotFound"), "no such model, or you may not see it"),
        ((403, "GatedRepo"), "accept this model's terms.*huggingface.co/people/small-gpt2 and sign in"),
        ((400, ""), "does not give the model; got status 400"),
    ],
)
def test_a_refusal_is_one_sentence(server: HubServer, error: tuple[int, str], said: str) -> None:
    server.repositories[NAME].error = error
    with pytest.raises(ModelError, match=said):
        hub.pull(NAME)


def test_a_repository_without_a_model_is_named(server: HubServer) -> None:
    server.repositories[NAME].revisions["main"] = {"README.md": b""}
    with pytest.raises(ModelError, match=r"needs config\.json; got README\.md"):
        hub.pull(NAME)
    server.repositories[NAME].revisions["main"] = {"config.json": b"[]"}
    with pytest.raises(ModelError, match="must hold a JSON object"):
        hub.pull(NAME)


def test_without_a_network_it_is_said_at_once(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.stop()
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"cannot be reached; got .*Without a network: put the files"):
        hub.pull(NAME)
    assert time.monotonic() - began < 5  # the client alone tries for half a minute
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="got offline mode"):
        hub.pull(NAME)


def test_what_hugging_faces_cache_has_needs_no_network(server: HubServer, tmp_path: Path) -> None:
    folder = hub.pull(NAME)
    shutil.rmtree(folder)
    server.stop()
    assert same(hub.pull(NAME), tmp_path / "original")


@pytest.mark.parametrize("name", ["people", "a/b/c", "../x", "a/..", "a/b@", "a--b/c", "/b"])
def test_what_is_no_name_of_the_hub(server: HubServer, name: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        hub.pull(name)
    assert server.requests == []


def test_contexts_of_another_length_hold(server: HubServer, tmp_path: Path) -> None:
    long = HParams(TOY.n_vocab, 2048, 8, 2, 1)
    write_checkpoint(open_checkpoint(write_model(tmp_path / "long", long)), "hf", tmp_path / "hf-long")
    server.repositories["people/long"] = Repository.of(tmp_path / "hf-long")
    assert HParams.load(hub.pull("people/long")) == long
