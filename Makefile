# Two commands for everybody: `make run` and `make test`. Both do all the set-up they need, in .venv.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PIP := $(BIN)/pip --disable-pip-version-check install --quiet

.PHONY: run test lint peers peers-setup bench clean

run: $(VENV)/run.stamp  ## Learn from the sample blog and write today's post.
	$(BIN)/blog-gen run

test: $(VENV)/test.stamp  ## Run all tests; Debian's Jekyll and Chromium are installed where that is allowed.
	@sh tests/install_tools.sh
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

peers: $(VENV)-peers/stamp  ## Equality with transformers, llama.cpp and TensorFlow's own reader.
	$(VENV)-peers/bin/pytest tests/peers

bench: $(VENV)-peers/stamp  ## Speed and memory beside the peers, in one run each.
	for name in benchmarks/*.py; do $(VENV)-peers/bin/python $$name; done

$(VENV)/run.stamp: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[train]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(PIP) -e '.[train,pretrain,test,lint]'
	@touch $@

peers-setup: $(VENV)-peers/stamp

# torch first, from wherever its CPU build can be had: transformers would else bring CUDA along. keras-hub alone:
# it asks for a second TensorFlow, for tokenizers that are not used here.
$(VENV)-peers/stamp: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip --disable-pip-version-check install --quiet 'torch$(TORCH)'
	$(VENV)-peers/bin/pip --disable-pip-version-check install --quiet -e '.[train,pretrain,test,peers]'
	$(VENV)-peers/bin/pip --disable-pip-version-check install --quiet --no-deps keras-hub
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-peers .blog_gen _site .jekyll-cache *.egg-info
