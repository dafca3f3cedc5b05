# Starting Right: `make book` builds the book, `make test` checks it. `make help` lists the rest.
# Everything that is installed or built goes into .venv and _build; no target needs root.

PYTHON ?= python3
WORKERS ?= 2
RUNS ?= 5
VENV := .venv
RUN := $(VENV)/bin
SITE := _build/html

# Tools that one target alone needs, installed when it first runs; all others are in requirements.txt.
JUPYTERLAB := jupyterlab==4.6.6
PLAYWRIGHT := playwright==1.65.2
TORCH := torch==2.13.0
BENCH := $(TORCH) lsuv==0.3.0 threadpoolctl==3.8.0
JUPYTERLITE := jupyterlite-core==0.8.6 jupyterlite-pyodide-kernel==0.8.6 jupyter-server==2.21.1

# One BLAS thread per process: tests run side by side, and a sum does not depend on the number of cores.
# Kernels, caches and settings come from .venv alone, so that a reader's own profile changes no output.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export VECLIB_MAXIMUM_THREADS ?= 1
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export IPYTHONDIR := $(CURDIR)/$(VENV)/ipython
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/matplotlib

# Where the buttons of the pages point: owner/name on GitHub, or empty for no such buttons.
BOOK_REPOSITORY ?= $(shell git remote get-url origin 2>/dev/null \
	| sed -nE 's,^(https://github\.com/|ssh://git@github\.com/|git@github\.com:)([^/]+/[^/]+)$$,\2,p' \
	| sed 's,\.git$$,,')
export BOOK_REPOSITORY
# With BOOK_LITE=1 the site holds a JupyterLite that runs the notebooks in the browser, and the pages link to it.
# It loads Pyodide from Pyodide's own host, or holds the distribution that lies in the folder PYODIDE.
export BOOK_LITE
export PYODIDE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book clean-book test notebooks stability serve lab lint bench fixup-10000 lite browser-test clean torch check-python

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

# --- the environment ------------------------------------------------------------------------------

check-python:
	@"$(PYTHON)" -c '' >/dev/null 2>&1 || { \
		echo "Python 3.11 or newer is needed, and there is no '$(PYTHON)' here: install it, or name another with make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is $$("$(PYTHON)" -c 'import platform; print(platform.python_version())'): name a newer one with make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "'$(PYTHON)' lacks its venv module: install it (on Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }

# Matplotlib's font cache would otherwise announce itself in a notebook's output, and each kernel that it talks to
# this machine alone.
$(VENV)/.installed: requirements.txt pyproject.toml | check-python
	@echo "Installing the book's packages into $(VENV) (once; a few minutes) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(RUN)/python -c 'import matplotlib.font_manager' 2>/dev/null
	@mkdir -p $(VENV)/ipython/profile_default
	@echo "c.IPKernelApp.log_level = 'ERROR'" > $(VENV)/ipython/profile_default/ipython_kernel_config.py
	@touch $@

# $(call install,packages): into .venv, the first time that a target needs them.
define install
@echo "Installing $(strip $(1)) into $(VENV) (once) ..."
@$(RUN)/python -m pip install --quiet --disable-pip-version-check $(1)
@touch $@
endef

$(VENV)/.lab: $(VENV)/.installed Makefile
	$(call install,$(JUPYTERLAB))

$(VENV)/.playwright: $(VENV)/.installed Makefile
	$(call install,$(PLAYWRIGHT))

$(VENV)/.torch: $(VENV)/.installed Makefile
	$(call install,$(TORCH))

$(VENV)/.bench: $(VENV)/.installed Makefile
	$(call install,$(BENCH))

$(VENV)/.lite: $(VENV)/.installed Makefile
	$(call install,$(JUPYTERLITE))

# --- the book -------------------------------------------------------------------------------------

# tools/build.py decides what there is to do. Where both are asked for, clean-book comes first, also with -j.
book: $(VENV)/.installed $(if $(BOOK_LITE),$(VENV)/.lite) $(filter clean-book,$(MAKECMDGOALS)) | check-python ## execute what changed and build the HTML book
	@$(RUN)/python tools/build.py --workers $(WORKERS)
	@echo "The book is built. Open $(CURDIR)/$(SITE)/index.html"

clean-book: $(VENV)/.installed | check-python ## remove the built book and the executed notebooks
	@$(RUN)/python tools/build.py --clean

lite: ## build the book with a JupyterLite in it, which runs the notebooks inside the browser
	@$(MAKE) --no-print-directory BOOK_LITE=1 book

serve: book ## serve the book on http://localhost:8000; a change rebuilds it and reloads the page
	@$(RUN)/python tools/serve.py --workers $(WORKERS)

lab: $(VENV)/.lab | check-python ## open the notebooks in JupyterLab
	@$(RUN)/python -m jupyterlab book

notebooks: $(VENV)/.installed | check-python ## execute and normalize the notebooks in place (some: ONLY=book/05-*.ipynb)
	@$(RUN)/python tools/notebooks.py --workers $(WORKERS) $(ONLY)

stability: $(VENV)/.installed | check-python ## execute the notebooks with rounding errors planted: would other machines print the same? (RUNS=5)
	@$(RUN)/python tools/stability.py --runs $(RUNS) --workers $(WORKERS) $(ONLY)

# --- the checks -----------------------------------------------------------------------------------

test: $(VENV)/.installed | check-python ## run the unit tests, then every notebook through strict nbval
	@echo "Unit tests ..."
	@$(RUN)/python -m pytest -q -n $(WORKERS) --ignore=tests/browser tests
	@echo "Notebooks: each cell is executed, and its text compared with the stored one ..."
	@$(RUN)/python -m pytest -q -n $(WORKERS) --dist loadfile --nbval --nbval-current-env book

lint: $(VENV)/.installed | check-python ## check style and notebooks' form
	@$(RUN)/ruff check --quiet .
	@$(RUN)/ruff format --quiet --check .
	@$(RUN)/python tools/notebooks.py --check

browser-test: book $(VENV)/.playwright ## drive the built book in a real browser (needs Chromium)
	@$(RUN)/python -m pytest -q tests/browser

torch: $(VENV)/.torch | check-python ## install PyTorch, so that the tests that compare with it run

bench: $(VENV)/.bench | check-python ## time netinit beside PyTorch and others, and print the table
	@$(RUN)/python -m benchmarks
	@$(RUN)/python -m benchmarks.fixup_10000

fixup-10000: $(VENV)/.installed | check-python ## train 10,000 residual blocks and record the result for the chapter on Fixup
	@$(RUN)/python -m benchmarks.fixup_10000 --record book/records/fixup-10000.json

clean: ## remove everything that was installed or built
	@rm -rf $(VENV) _build .pytest_cache .ruff_cache .hypothesis .jupyterlite.doit.db
	@find book src tests tools -name __pycache__ -prune -exec rm -rf {} +
