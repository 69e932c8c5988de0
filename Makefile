# make help lists the targets. CI runs `make test` and nothing else.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON := local/.venv-aws/bin/python
SAM := AWS_DEFAULT_REGION=eu-west-1 SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/local/.venv-sam/bin:$$PATH" sam

.PHONY: help setup run test fmt lint unit docs template python e2e bench build init-cost isolation cost cost-measure picture previous

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 12

setup: ## the Python environments under local/
	@./local/setup.sh

run: setup ## deploys to a local AWS, sends the sample events, stays up until Ctrl-C
	@$(PYTHON) local/run.py $(RUN_ARGS)

test: fmt lint unit docs template python e2e ## everything that CI runs

fmt: ## is the code formatted
	cargo fmt --all --check

lint: ## clippy, warnings denied
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

unit: ## unit, property, adapter and function tests
	cargo nextest run --workspace --locked

docs: ## documentation builds, its examples compile
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	cargo test --workspace --doc --locked --quiet

template: ## template.yaml is valid, lints clean and keeps checkov's policies
	@./local/setup.sh checkov
	$(SAM) validate --lint
	local/.venv-checkov/bin/checkov --config-file .checkov.yaml

python: setup ## lints local/ and events/
	local/.venv-aws/bin/ruff check --config local/ruff.toml local events
	local/.venv-aws/bin/ruff format --config local/ruff.toml --check local events

e2e: setup ## the deployed template on two local AWS side by side, for their tests wait more than they work
	$(PYTHON) -m pytest local/tests -q -p no:cacheprovider -n 2 --dist loadfile

bench: ## verify, parse and build, route look-up, log batching
	cargo bench --package connector --bench pipeline --locked

previous: setup ## records this version, at its release, as the one that the next is held against
	$(PYTHON) local/record_previous.py

isolation: setup ## deliveries beside an endpoint that hangs, as ratios to none (minutes)
	$(PYTHON) local/isolation.py

init-cost: setup ## INIT and a warm request under the Runtime Interface Emulator, as ratios to a bare function
	$(PYTHON) local/init_cost.py

cost: setup ## writes the tables of shared/docs/cost.md from local/cost.yaml and template.yaml
	$(PYTHON) local/cost.py

cost-measure: setup ## what a webhook takes of processor, memory, log and queue: the inputs of `make cost`
	$(PYTHON) local/measure_cost.py

picture: ## shared/docs/dashboard.png, drawn from the numbers of a run on the local AWS (minutes)
	@./local/setup.sh picture
	$(PYTHON) local/measure_picture.py
	local/.venv-picture/bin/python local/draw_picture.py

build: setup ## the functions, as `sam deploy` wants them
	$(SAM) build
