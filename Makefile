# The two commands are `make demo` and `make test`; each sets up what it needs, once.

PYTHON ?= python3
# The release that the tests ran with; any from 2.4 on is allowed: make test TORCH=torch
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up

# Without bytecode on disk, each of the tests' processes compiles all sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-browser setup lint types contracts unit search farms plugin plugin-windows \
        plugin-macos bundle test-windows clean

demo: setup
	$(BIN)/python docs/demo.py $(if $(CLIP),--clip "$(CLIP)")

# Types are checked beside the tests: a suite of processes leaves a core idle now and then.
test: lint contracts
	$(MAKE) --jobs 2 types unit

setup: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install --quiet --no-compile "$(TORCH)"
	$(BIN)/pip install --quiet --no-compile --editable ".[server,dev]"
	@# pip would write bytecode on one core. Some packages carry files that this Python cannot read.
	$(BIN)/python -m compileall -qq --workers 0 $(VENV)/lib || true
	touch $@

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check

# The second and third time as Windows and macOS read the client: what a system lacks is not asked for.
types: setup
	nice $(BIN)/mypy
	nice $(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 --package gvm_client
	nice $(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin --package gvm_client

contracts: setup
	$(BIN)/lint-imports

# A file's tests stay on one worker: they share what is dear to set up. Long files go first
# (tests/conftest.py). Two workers more than there are cores: a third of their time they wait for
# servers to start and to end. The first time they would each compile all tests: once is enough,
# while types are checked beside it.
unit: setup
	test -e tests/__pycache__ || $(BIN)/pytest --collect-only --quiet >/dev/null || true
	$(BIN)/pytest --numprocesses $$(($$(nproc) + 2)) --dist loadfile --no-loadscope-reorder

# The report's page in a real headless browser; Chromium is installed by apt where it may.
test-browser: setup
	command -v chromium chromium-browser google-chrome $$GVM_TEST_BROWSER | grep -q . || \
		{ apt-get update -qq && apt-get install -qq --no-install-recommends chromium; }
	$(BIN)/pytest tests/browser

# Property tests with many random examples: new ones each time. `make test` tries the same ones.
search: setup
	$(BIN)/pytest --hypothesis-profile=search $$(grep -rl "^from hypothesis" tests --include="test_*.py")

# Farms' own libraries read our jobs; they want other versions of what the server needs, so a venv
# of their own. Without it `make test` skips these tests.
farms: setup
	test -x build/farms/bin/python || $(PYTHON) -m venv build/farms
	build/farms/bin/pip install --quiet ".[farms]"
	GVM_FARMS_PYTHON=$(CURDIR)/build/farms/bin/python $(BIN)/pytest tests/unit/nodes/farm tests/unit/server/cli/farm

# GVM.ofx.bundle in build/plugin; installs compiler and libraries by apt where it may.
plugin: setup
	mkdir -p build
	PYTHON=$(BIN)/python plugin_host/build.sh build/plugin

# The same for Windows, in build/plugin-windows; needs mingw, and says so where there is none.
plugin-windows: setup
	PYTHON=$(BIN)/python plugin_host/cross/windows.sh build/plugin-windows build/cross

# The same for macOS, arm64 and x86-64 in one file, in build/plugin-macos; needs LLVM's linker.
plugin-macos: setup
	PYTHON=$(BIN)/python plugin_host/cross/macos.sh build/plugin-macos build/cross

# One GVM.ofx.bundle for the three systems, in build/.
bundle: plugin plugin-windows plugin-macos
	plugin_host/bundle.sh build/GVM.ofx.bundle build/plugin/GVM.ofx.bundle \
		build/plugin-windows/GVM.ofx.bundle build/plugin-macos/GVM.ofx.bundle

# The OpenFX suite against the Windows build, under Wine; skipped where Wine or mingw is missing.
test-windows: setup
	GVM_OFX_ON=windows $(BIN)/pytest tests/ofx

clean:
	rm -rf $(VENV) build demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
