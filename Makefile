# Everything runs from here; `make demo` and `make test` set up what they need first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# One process must not write over another's bytecode decision: compile once, at install.
export PYTHONDONTWRITEBYTECODE =
export PREFECT_SERVER_ANALYTICS_ENABLED = false
export DO_NOT_TRACK = 1
# A firm's proxy signs with a certificate that the system knows and uv's own list does not.
export UV_SYSTEM_CERTS = true

.PHONY: demo test test-vllm test-slow test-consumers lint vllm consumers lock setup clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "medcurate needs Python 3.11; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) (a minute or two the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --no-deps -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@$(BIN)/medcurate demo

test: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadfile

test-vllm: $(READY) vllm
	$(BIN)/pytest -m "vllm and not slow"

test-slow: $(READY)
	$(BIN)/pytest -m "slow and not vllm"

test-consumers: $(READY) vllm consumers
	$(BIN)/pytest -m "slow and vllm" tests/storage

lint: $(READY)
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

vllm: .vllm/.ready

.vllm/.ready: requirements-vllm.lock scripts/vllm/install.py
	@$(PYTHON) scripts/vllm/install.py .vllm

# The code of those who train on our exports, beside vLLM's torch; its own folder, since no environment holds all of it.
consumers: .consumers/.ready

.consumers/.ready: requirements-consumers.lock | vllm
	@$(BIN)/uv pip install --quiet --python .vllm/bin/python --no-deps --require-hashes --target .consumers -r $<
	@touch $@

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --group dev --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	printf 'uv==%s\n' "$$($(BIN)/uv --version | cut -d' ' -f2)" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" - -o requirements-uv.lock
	$(BIN)/uv pip compile --quiet --universal --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" scripts/consumers/requirements.in -o requirements-consumers.lock

clean:
	rm -rf $(VENV) .vllm .consumers .demo .work releases
