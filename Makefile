# make demo   the main job on a synthetic CT, with the bundled checkpoint
# make test   the tests
# Both make .venv and install into it what they need; both are safe to repeat.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Tests run beside each other, one a core; who is done takes over what another has left.
BESIDE := -n auto --maxprocesses 8 --dist worksteal

.PHONY: demo test test-full check format web-check micro micro-report study bench fuzz clean

demo: $(VENV)/.installed
	@echo "== segmenting a synthetic CT from three outlined slices a bone =="
	$(BIN)/voxtrail demo -o demo --force

test: $(VENV)/.installed-dev
	@echo "== tests (real CT where VOXTRAIL_CT names a folder) =="
	$(BIN)/python -m pytest -m "not full" $(BESIDE)

test-full: $(VENV)/.installed-dev
	@echo "== slow tests: parity of the larger models with the reference =="
	$(BIN)/python -m pytest -m full

check: $(VENV)/.installed-dev
	@echo "== format, lint, types, layers =="
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The page of `voxtrail annotate` (web/): checks its source, and that the build which is committed
# and ships in the wheel is what the source gives. Needs npm.
web-check:
	@echo "== the page: format, lint, types, tests, and its build =="
	cd web && npm ci && npm run check && npm test && npm run build
	git diff --exit-code --stat -- src/voxtrail/serve/page
	test -z "$$(git status --porcelain -- src/voxtrail/serve/page)"

# Trains the bundled checkpoint from nothing (hours on two cores, minutes on a GPU); goes on
# where it was killed. The same state goes on on either.
micro: $(VENV)/.installed-dev
	$(BIN)/python -m training.train --out runs/micro

# Scores the bundled checkpoint and writes the tables into its model card; goes on where it was
# stopped.
micro-report: $(VENV)/.installed-dev
	$(BIN)/python -m training.report

# The run of docs/study: every experiment on phantoms and, where VOXTRAIL_CT names a folder with
# totalseg_mini, on its real CTs. An hour or more on two cores; goes on where it was stopped.
study: $(VENV)/.installed-dev
	$(PIP) -e '.[itk]'
	PATH="$(CURDIR)/$(BIN):$$PATH" bash docs/study/run.sh runs/study

# Fuzzing: thousands of damaged or generated files, of which each must be read or refused in one
# line: no traceback, no hang, no more than 2 GiB of memory, no file left behind.
INPUTS ?= 10000
SEED ?= 0
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS) --seed $(SEED)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/startup.py

$(VENV)/bin/python:
	@echo "== making $(VENV) =="
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "== installing voxtrail and what it needs (PyTorch is large: minutes) =="
	$(PIP) -e .
	@touch $@

# sam2 is the reference that the tests compare with, MONAI that of the measures. Both are installed
# without their own dependencies: sam2 would ask for a torchvision that need not match a CPU build
# of PyTorch, and of MONAI only the measures are used. EdgeTAM's and SAM 3's authors' predictors lie
# in folders of their own: tests start them in processes of their own (tests/parity/authors).
$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "== installing what the tests need =="
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps --no-build-isolation sam2==1.1.0 monai==1.6.1
	$(PIP) --no-deps --upgrade --target $(VENV)/authors/edgetam edgetam-dimos==1.0.1 \
		timm==1.0.31 torchvision==0.28.0
	$(PIP) --no-deps --upgrade --target $(VENV)/authors/sam3 sam3==0.1.4 \
		einops==0.8.1 ftfy==6.3.1 timm==1.0.31 torchvision==0.28.0 wcwidth
	@touch $@

clean:
	rm -rf $(VENV) demo build dist
