# make run · make test · make bench · make endure · make simulate
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

KITH_DATABASE ?= sqlite:kith.sqlite
KITH_HOST ?= 127.0.0.1
KITH_PORT ?= 8080
export KITH_DATABASE KITH_HOST KITH_PORT

.PHONY: help setup run test test-swift test-browser walkthrough bench endure simulate preview lighthouse pictures

help:
	@echo "make run       set up, build in release, start on http://$(KITH_HOST):$(KITH_PORT) with a demo workspace"
	@echo "make test      set up and run every test, on SQLite and PostgreSQL, and the pages in Chromium"
	@echo "make walkthrough  6,919 real sales through API and CSV, on SQLite and PostgreSQL, against an independent calculation"
	@echo "make bench     one line per figure, with its bar and its peer"
	@echo "make endure    long tests: kill -9 under writers, power cuts, full disk, PostgreSQL gone"
	@echo "make simulate  the whole application against 200 seeded companies, with storage that fails"
	@echo "make lighthouse   Lighthouse on twelve pages, at least 95 in everything"
	@echo "make pictures  the pictures of the README anew"
	@echo "make preview   every page with sample content, as pictures"

setup:
	@bin/setup

run: setup
	swift build -c release --product kith
	@bin/run

test:
	@bin/setup --test
	@bin/test

test-swift:
	@bin/setup --test
	@bin/test engine swift

test-browser:
	@bin/setup --test
	@bin/test browser

walkthrough:
	@bin/setup --test
	swift build --product kith
	@python3 Tests/Walkthrough/walk.py

bench:
	@bin/setup --test
	@bin/bench

endure:
	@bin/setup --test
	swift build --product kith
	@bin/endure

simulate:
	@bin/setup --test
	@bin/simulate

lighthouse:
	@bin/setup --test
	swift build --product kith
	@bin/lighthouse

pictures:
	@bin/setup --test
	swift build --product kith
	@.build-python/bin/python Tests/Browser/pictures.py

preview:
	@bin/setup --test
	@.build-python/bin/python Tests/Browser/preview.py
