# `make` lists what there is. Nothing but Python 3.11 to 3.13 is needed; PYTHON=/path/to/python chooses one.
PYTHON ?=
SERVING := gateway detector analyzer verifier client
VENV := .venv
TRAINER_VENV := .venv-trainer
GPU_VENV := .venv-gpu
TEST_LOGS := build/test
PAGE := tests/e2e/page
UV := build/uv

# Tests start hundreds of processes. Each should find what the one before has compiled, so .pyc files are written even on a
# machine that has switched them off.
unexport PYTHONDONTWRITEBYTECODE

# Labels of the images; `docker compose` works without them too.
COMPOSE = FACEKIT_VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
	FACEKIT_REVISION=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) docker compose

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run up down logs ps backup restore images test test-serving test-trainer test-stack test-gpu test-timing test-page page-tools lint lint-page types mutants conformance format settings bench fuzz train screenshots constraints clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/serving ## start the embedded system: gateway, three workers, no server needed
	@exec $(VENV)/bin/python -m scripts.embedded

up: ## start the whole stack with Docker; makes keys and secrets the first time
	@docker compose version >/dev/null 2>&1 || { echo "facekit: make up needs Docker with Compose v2" >&2; exit 1; }
	@python3 scripts/deployment/stack_env.py
	@$(COMPOSE) up --detach --build --wait --quiet-pull
	@echo "facekit: the stack answers at http://$$($(COMPOSE) port nginx 8080)"

down: ## stop the stack; its photos, jobs and models stay in volumes
	@$(COMPOSE) down

logs: ## follow the logs of the stack
	@$(COMPOSE) logs --follow --tail=100

ps: ## what runs of the stack, and how well
	@$(COMPOSE) ps --all

backup: ## save database and bucket of the running stack under backups/
	@sh scripts/deployment/backup.sh save

restore: ## BACKUP=backups/...: the stack as it was then; what came after is gone
	@sh scripts/deployment/backup.sh restore "$(BACKUP)"

images: ## build the images of the stack and print their sizes, whole and compressed
	@$(COMPOSE) build --quiet
	@sh scripts/deployment/image_sizes.sh

# Both halves run at the same time. The output of the training half is printed when it has ended, and last what both
# skipped.
test: $(UV)/installer ## every test, in the environments they need
	@mkdir -p $(TEST_LOGS); rm -f $(TEST_LOGS)/*.xml; \
	$(MAKE) --no-print-directory test-trainer > $(TEST_LOGS)/trainer.log 2>&1 & trainer=$$!; trap "kill $$trainer" INT TERM; \
	failed=0; $(MAKE) --no-print-directory test-serving || failed=1; \
	wait $$trainer || failed=1; cat $(TEST_LOGS)/trainer.log; \
	$(VENV)/bin/python -m scripts.checks.skipped $(TEST_LOGS)/serving.xml $(TEST_LOGS)/trainer.xml; exit $$failed

# Two processes, because one alone does not keep two cores busy. A file stays in one process, because its tests share
# servers. The longest files start first.
test-serving: $(VENV)/dev page-tools ## tests of the running half
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --junitxml=$(TEST_LOGS)/serving.xml \
		tests/integration tests/e2e tests/contract tests/unit

test-trainer: $(TRAINER_VENV)/trainer ## tests of the training half (a large environment: it has torch)
	$(TRAINER_VENV)/bin/python -m pytest --confcutdir=tests/unit/trainer --junitxml=$(TEST_LOGS)/trainer.xml \
		tests/unit/trainer

test-stack: $(VENV)/dev ## tests of the stack, on a Docker engine: builds images, starts and kills containers
	FACEKIT_TEST_COMPOSE=1 $(VENV)/bin/python -m pytest tests/e2e/compose

# Measures of time, which `make test` leaves out: whatever else runs here falls on them.
test-timing: $(VENV)/dev page-tools ## how fast it is, held to its limits: alone on an idle machine
	@echo "facekit: nothing else should run on this machine now; its load is $$(uptime | sed 's/.*average[s]*: *//')"
	$(VENV)/bin/python -m pytest -m timing tests

test-gpu: $(GPU_VENV)/gpu $(TRAINER_VENV)/trainer ## tests of models and trainers on a GPU of NVIDIA's
	FACEKIT_TEST_DEVICE=cuda $(GPU_VENV)/bin/python -m pytest -m "timing or not timing" $(addprefix tests/unit/services/,detector analyzer verifier)
	FACEKIT_TEST_DEVICE=cuda $(TRAINER_VENV)/bin/python -m pytest --confcutdir=tests/unit/trainer tests/unit/trainer

test-page: ## unit tests of the page, by node's own runner
	@$(call with,node) node --test $$(find tests/unit/frontend -name "*.test.js")

lint: $(VENV)/dev lint-page ## ruff, mypy --strict, import contracts, types of page and API
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m scripts.api_types --check

lint-page: page-tools
	@$(call with,npm) $(PAGE)/node_modules/.bin/tsc --project frontend/jsconfig.json

types: $(VENV)/dev ## write the page's and the client's types anew, from the OpenAPI document
	$(VENV)/bin/python -m scripts.api_types

mutants: $(VENV)/dev ## make the mistakes that hurt most, in a copy: tests must notice each
	$(VENV)/bin/python -m scripts.checks.mutants

conformance: $(VENV)/dev ## hold a gateway to its OpenAPI document, with schemathesis
	$(VENV)/bin/python -m scripts.checks.conformance

format: $(VENV)/dev ## let ruff write the format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

settings: $(VENV)/dev ## write docs/settings.md, .env.example and compose's settings from the Settings class
	$(VENV)/bin/python -m scripts.settings

bench: $(VENV)/dev ## images per second, overhead and memory of the whole system beside the bare model
	$(VENV)/bin/python -m scripts.bench --json bench/latest.json

fuzz: $(VENV)/dev ## 200,000 photos with changed headers: the door's answer against the worker's decoder
	$(VENV)/bin/python -m tests.fuzz

train: $(TRAINER_VENV)/trainer ## make the training environment and list what it can do
	$(TRAINER_VENV)/bin/python -m trainer --help

screenshots: $(VENV)/dev page-tools ## README's pictures of the page, taken anew (needs Chromium and node)
	$(VENV)/bin/python -m scripts.screenshots

constraints: $(VENV)/dev ## resolve pyproject.toml again into constraints.txt; KEEP=1 moves no pin that is there
	$(VENV)/bin/python -m scripts.environment.lock $(if $(KEEP),--keep)

clean: ## remove environments, caches and build leftovers (not .facekit: it holds your jobs)
	rm -rf $(VENV) $(TRAINER_VENV) $(GPU_VENV) $(PAGE)/node_modules build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find services trainer scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environments: each stamp file is newer than the pins it was made from. uv installs the others; what serves is
# imported once, so that the first start finds it compiled.
%/created:
	@python=$$(sh scripts/environment/python.sh "$(PYTHON)") && "$$python" -m venv --clear --without-pip $(@D) && touch $@

$(UV)/installer: $(UV)/created constraints.txt scripts/environment/pins.py
	@if $(UV)/bin/python -m scripts.environment.install $(@D) installer; then touch $@; \
	else echo "facekit: without uv pip installs, which takes minutes" >&2; fi

$(VENV)/serving: $(VENV)/created constraints.txt scripts/environment/pins.py | $(UV)/installer
	@echo "facekit: installing the serving environment into $(VENV), once"
	@$(VENV)/bin/python -m scripts.environment.install $(VENV) $(SERVING)
	@$(VENV)/bin/python -m scripts.environment.warm
	@touch $@

$(VENV)/dev: $(VENV)/serving
	@echo "facekit: adding the tools for tests and lint to $(VENV), once"
	@$(VENV)/bin/python -m scripts.environment.install $(VENV) dev
	@touch $@

$(TRAINER_VENV)/trainer: $(TRAINER_VENV)/created constraints.txt scripts/environment/pins.py | $(UV)/installer
	@echo "facekit: installing the training environment into $(TRAINER_VENV), once; PyTorch makes it several gigabytes"
	@$(TRAINER_VENV)/bin/python -m scripts.environment.install $(TRAINER_VENV) trainer
	@touch $@

$(GPU_VENV)/gpu: $(GPU_VENV)/created constraints.txt scripts/environment/pins.py | $(UV)/installer
	@echo "facekit: installing the workers' environment for a GPU into $(GPU_VENV), once; CUDA makes it several gigabytes"
	@$(GPU_VENV)/bin/python -m scripts.environment.install $(GPU_VENV) --gpu $(SERVING) dev
	@touch $@

page-tools: ## what checks the page: TypeScript, Playwright, axe (needs npm)
	@$(call with,npm) $(MAKE) --silent $(PAGE)/node_modules/created

# package-lock.json would record download addresses, so package.json names exact versions.
$(PAGE)/node_modules/created: $(PAGE)/package.json
	@cd $(PAGE) && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

# $(call with,PROGRAM) COMMAND: runs it where PROGRAM exists; says so where it does not, and fails on CI.
with = command -v $(1) >/dev/null || { echo "facekit: $@ skipped: no $(1) on this machine"; test -z "$$CI"; exit; };
