# The commands of the house. Set-up (virtual environment, hash-checked packages) happens by itself, once.
#   make demo            the demo shop, served until Ctrl-C   (make demo DEMO=once: ends by itself)
#   make test            the whole test suite                 (make test ARGS="tests/unit -k clock")
#   make lint            style, format and types
#   make bench           the benchmark
#   make hostile         what hostile mail and DNS records cost
#   make growth          how every reader's work grows on hostile shapes (make growth ARGS="--wide")
#   make attack          attacks on a running serve, and what good mail feels of them
#   make kill            kill -9 at random moments under load: 100 rounds (make kill ARGS="--rounds 10")
#   make storm           answers under trouble: 300 runs, kill -9, two dispatchers
#   make pictures        the pictures of the README and of docs/desk.md anew
#   make lock            the lock files anew (needs uv)
#   make clean           away with what was made here
PYTHON ?=
DEMO ?=
ARGS ?=
BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" .ci/setup

.PHONY: help demo test lint bench hostile growth attack kill storm pictures lock clean

help:
	@sed -n 's/^#   //p' Makefile

demo:
	@$(SETUP) runtime
	@exec $(BIN)/relaydesk demo $(if $(filter once,$(DEMO)),--once)

# Three workers on two cores: much of the suite waits for clocks and processes. In the order of the folders: the
# files with few and slow tests come first, and no worker is left alone with one at the end.
test:
	@$(SETUP) dev
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint:
	@$(SETUP) dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench:
	@$(SETUP) dev
	$(BIN)/python bench/intake.py $(ARGS)

hostile:
	@$(SETUP) dev
	$(BIN)/python bench/hostile.py $(ARGS)

growth:
	@$(SETUP) dev
	$(BIN)/python bench/growth.py $(ARGS)

attack:
	@$(SETUP) dev
	$(BIN)/python bench/attack.py $(ARGS)

kill:
	@$(SETUP) dev
	$(BIN)/python bench/kill.py $(ARGS)

storm:
	@$(SETUP) dev
	$(BIN)/python bench/answers.py $(ARGS)

pictures:
	@$(SETUP) dev
	$(BIN)/python bench/pictures.py docs/pictures --docs
	$(BIN)/python bench/pictures.py docs/pictures --demo

lock:
	@.ci/lock

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
