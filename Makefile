# Văn Khố: what a checkout can do. `make help` lists it.
PYTHON := .venv/bin/python
PORT ?= 8000
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-engine demo serve test check engine drill browser gates bench bench-search

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## install what is missing: Debian packages, Python packages, catalogues
	@config/setup

setup-dev:
	@config/setup --dev

setup-engine:
	@config/setup --dev --engine

demo: setup ## fill a sample office (once) and serve it on http://127.0.0.1:8000 (PORT=8010: there)
	@$(PYTHON) manage.py demo
	@$(PYTHON) manage.py serve --port $(PORT)

serve: setup ## serve the installation under VANKHO_HOME: web and worker together
	@$(PYTHON) manage.py serve --port $(PORT)

check: setup-dev ## style, types and start-up checks
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@$(PYTHON) -m mypy .
	@$(PYTHON) manage.py check

test: check ## the quick suite: no service, nothing outside the checkout
	@$(PYTHON) -m pytest -q

engine: setup-engine ## all tests that ask a database, on PostgreSQL, and those of real Elasticsearch, S3, LDAP and OpenID Connect servers, which it starts
	@config/engine

drill: setup-dev ## restore drills on small data: one machine, and the big stack where VANKHO_TEST_* names its servers
	@$(PYTHON) -m pytest -q -k drill -m "engine or not engine" config/tests/test_backup_restore.py config/tests/test_backup_big.py

browser: setup-dev ## the journeys of each role in a real browser
	@$(PYTHON) -m pytest -q -m browser

gates: setup-dev ## what outside judges say of the code and of a served office (an hour or two; NAMES="ruff axe" for some, MINUTES=10 before a release, PATIENCE=5 on a busy machine, TOOLS and KEEP name folders to keep)
	@nice -n 10 $(PYTHON) -m config.gates $(NAMES) --minutes $(or $(MINUTES),1) --patience $(or $(PATIENCE),1) $(if $(TOOLS),--tools $(TOOLS)) $(if $(KEEP),--keep $(KEEP))

bench-search: setup-dev ## the search bench at 200,000 and 1,000,000 records, through HTTP, and from act to search (an hour or two; on Elasticsearch where VANKHO_TEST_ELASTICSEARCH_URL names one)
	@$(PYTHON) -m config.bench searching level_change --records 200000,1000000 --engine embedded,elastic --http

bench: setup-dev ## speed, accuracy and memory against peers and limits, as a table and as JSON
	@$(PYTHON) -m config.bench
