# Two commands for everybody: `make run` and `make test`. Both do all the set-up they need, in .venv.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PEERS := $(VENV)-peers/bin
LATEST := $(VENV)-latest/bin
# Exact versions for everybody who works on blog-gen; setup.cfg has the ranges that its users get.
INSTALL := pip --disable-pip-version-check install --quiet
PINNED := $(INSTALL) --constraint constraints.txt
# The peers' torch. A build for CPUs alone, TORCH='==2.13.0+cpu', saves gigabytes where pip can find one.
TORCH ?= ==2.13.0
TESTS ?= tests
# One more than there are cores: tests wait for each other's processes, for heartbeats, for time limits.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

.PHONY: run test test-latest lint peers peers-setup bench constraints clean

run: $(VENV)/run.stamp  ## Learn from the sample blog and write today's post; MODEL=smollm2 with another base.
ifdef MODEL
	$(BIN)/blog-gen models show $(MODEL) >/dev/null 2>&1 || $(BIN)/blog-gen models pull $(MODEL)
endif
	$(BIN)/blog-gen run $(if $(MODEL),--model $(MODEL))

# Hundreds of processes start: where bytecode is not kept, each compiles the package anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/test.stamp  ## Run all tests; Debian's Jekyll and Chromium are installed where that is allowed.
	@sh tests/install_tools.sh
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-latest:  ## The tests, or those in TESTS, on new examples, with the newest of everything that setup.cfg allows.
	$(PYTHON) -m venv --clear $(VENV)-latest
	$(LATEST)/$(INSTALL) --no-compile -e '.[train,pretrain,test]'
	@echo "Other than in constraints.txt:"
	@sed 's/ *;.*//' constraints.txt > $(VENV)-latest/pinned
	@$(LATEST)/pip list --format freeze | sed -e 's/_/-/g' -e 's/\.\(.*==\)/-\1/' | grep -vixFf $(VENV)-latest/pinned
	EXAMPLES=new $(LATEST)/pytest -n $(WORKERS) $(TESTS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

peers: $(VENV)-peers/stamp  ## Equality with transformers, llama.cpp and TensorFlow's own reader.
	$(PEERS)/pytest tests/peers

bench: $(VENV)-peers/stamp  ## Speed and memory beside the peers, in one run each.
	for name in sample train memory judge judge_limits growth waiting team; do $(PEERS)/python benchmarks/$$name.py || exit; done

constraints:  ## The newest versions that setup.cfg's ranges allow, for all extras, from Python 3.11 on.
	$(PYTHON) -m venv $(VENV)-constraints
	$(VENV)-constraints/bin/$(INSTALL) uv
	echo 'torch$(TORCH)' > $(VENV)-constraints/torch.txt
	UV_CUSTOM_COMPILE_COMMAND='make constraints' $(VENV)-constraints/bin/uv pip compile --quiet --upgrade \
	    --universal --python-version 3.11 --no-annotate --all-extras setup.cfg \
	    --constraints $(VENV)-constraints/torch.txt --output-file constraints.txt
	echo keras-hub | $(VENV)-constraints/bin/uv pip compile --quiet --universal --no-deps --no-header --no-annotate \
	    --python-version 3.11 - >> constraints.txt

$(VENV)/run.stamp: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PINNED) -e '.[train]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(BIN)/$(PINNED) -e '.[train,pretrain,test,lint]'
	@touch $@

peers-setup: $(VENV)-peers/stamp

# torch first, of the build asked for: transformers would bring another. keras-hub alone: it asks for a second
# TensorFlow, for tokenizers that are not used here.
$(VENV)-peers/stamp: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(PEERS)/$(PINNED) 'torch$(TORCH)'
	$(PEERS)/$(PINNED) -e '.[train,pretrain,test,peers]'
	$(PEERS)/$(PINNED) --no-deps keras-hub
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-peers $(VENV)-latest $(VENV)-constraints .blog_gen _site .jekyll-cache *.egg-info
