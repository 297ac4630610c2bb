# Everything a developer of Portico types; `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help run test fuzz bench crash format lint docs assets

help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: ## install what is missing, build, start the demo: server, web app, API
	@scripts/install-dependencies run
	@scripts/build-products
	@scripts/run-demo

# The tests that run once on SQLite and once on PostgreSQL.
ON_EITHER_DATABASE := 'FlowTests|AuthorizationServerTests|TenantConfigurationTests'

test: ## install what is missing, run every test on both databases: units, flows, browser, real clients
	@scripts/install-dependencies test
	@scripts/swift-test --skip Fuzz
	@scripts/swift-test --skip-build --filter Fuzz
	@PORTICO_TEST_DATABASE=postgres scripts/swift-test --skip-build --filter $(ON_EITHER_DATABASE) --skip Fuzz
	@scripts/end-to-end
	@PORTICO_TEST_DATABASE=postgres scripts/end-to-end

fuzz: ## try ten million made inputs on the parsers and thousands of hostile requests, other ones each time
	@scripts/install-dependencies run
	@PORTICO_FUZZ_FACTOR=10 PORTICO_FUZZ_SEED=$${PORTICO_FUZZ_SEED:-$$(date +%s)} scripts/swift-test --filter Fuzz

bench: ## measure the release build against this machine's limits
	@scripts/install-dependencies bench
	@. scripts/environment && swift build -c release --product portico
	python3 Benchmarks/run.py --portico .build/release/portico
	python3 Benchmarks/many_users.py --portico .build/release/portico
	python3 Benchmarks/scripts.py --portico .build/release/portico

crash: ## kill the server, and PostgreSQL, a hundred times under load and look for what was lost
	@scripts/install-dependencies bench
	@. scripts/environment && swift build -c release --product portico
	python3 Benchmarks/crash.py --portico .build/release/portico --kills 100
	python3 Benchmarks/crash.py --portico .build/release/portico --kills 100 --database postgres

format: ## write every Swift file as .swift-format says
	swift format format --in-place --recursive Sources Tests examples Package.swift

lint: ## fail where a file is not formatted, or the list of assets is stale
	swift format lint --strict --recursive Sources Tests examples Package.swift
	scripts/generate-assets --check

docs: ## write docs/cli.md from the commands' own help, and check every link
	@scripts/install-dependencies run
	@. scripts/environment && swift build --product portico
	scripts/generate-docs

assets: ## list the pages' templates, styles and scripts for the binary
	scripts/generate-assets
