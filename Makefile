# Starting Right: `make book` builds the book, `make test` checks it. `make help` lists the rest.
# Everything that is installed or built goes into .venv and _build; no target needs root.

WORKERS ?= 2
RUNS ?= 5
VENV := .venv
RUN := $(VENV)/bin
SITE = _build/html$(if $(filter student,$(EDITION)),-student)

# Without a PYTHON of yours, the one that the environment was made with stays; where there is none, it is python3.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell $(RUN)/python -I -c 'import sys; print(sys._base_executable)' 2>/dev/null || echo python3)
endif

# One target after the other, also with -j: each uses all the cores that WORKERS allows.
.NOTPARALLEL:

# Nothing in your shell changes what is imported, installed, executed or drawn. Here belong the families of variables
# that steer a tool which a target runs; a setting that it needs is exported below. Not here belongs what tells
# how to reach an index or the network (so of pip's, all but PIP_TO_REACH), where your files lie, and your processor.
STEERING := PYTHON% VIRTUAL_ENV% CONDA_% PIP_% JUPYTER% IPY% PYDEVD_% NBVAL% MPL% MATPLOTLIB% SPHINX% DOCUTILS% \
	SOURCE_DATE_EPOCH PYTEST% HYPOTHESIS_% TQDM_% DASK_% JAX_% KERAS_% MYPY% NETINIT_% FORCE_COLOR LANGUAGE \
	GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
PIP_TO_REACH := PIP_CONFIG_FILE PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_NO_INDEX PIP_FIND_LINKS PIP_TRUSTED_HOST \
	PIP_PROXY PIP_CERT PIP_CLIENT_CERT PIP_KEYRING_PROVIDER PIP_USE_FEATURE PIP_USE_DEPRECATED PIP_NO_INPUT \
	PIP_CACHE_DIR PIP_NO_CACHE_DIR PIP_DEFAULT_TIMEOUT PIP_TIMEOUT PIP_RETRIES
unexport $(filter-out PYTHON $(PIP_TO_REACH),$(filter $(STEERING),$(.VARIABLES)))

# One BLAS thread per process: tests run side by side, and a sum does not depend on the number of cores.
# Kernels, caches and settings come from the environment alone, and text is UTF-8.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export VECLIB_MAXIMUM_THREADS ?= 1
export LC_ALL := C.UTF-8
export PYTHONUTF8 := 1
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export IPYTHONDIR := $(abspath $(VENV))/ipython
export MPLCONFIGDIR := $(abspath $(VENV))/matplotlib
export KERAS_HOME := $(abspath $(VENV))/keras
export KERAS_BACKEND := jax

# Where the buttons of the pages point: owner/name on GitHub, or empty for no such buttons.
BOOK_REPOSITORY ?= $(shell git remote get-url origin 2>/dev/null \
	| sed -nE 's,^(https://github\.com/|ssh://git@github\.com/|git@github\.com:)([^/]+/[^/]+)$$,\2,p' \
	| sed 's,\.git$$,,')
export BOOK_REPOSITORY
# Where the pages are on the web, for links to them, canonical addresses and the sitemap; without it, GitHub's address
# for the pages of BOOK_REPOSITORY.
export BOOK_ADDRESS
# With BOOK_LITE=1 the site holds a JupyterLite that runs the notebooks in the browser, and the pages link to it.
# It loads Pyodide from Pyodide's own host, or holds the distribution that lies in the folder PYODIDE.
export BOOK_LITE
export PYODIDE
# With EDITION=student the pages hold no solutions; they are built into a folder of their own.
export EDITION

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book clean-book portable portable-check publish-notebooks course lite lite-check serve pdf pictures lab notebooks stability \
	test unit-tests test-matrix test-slow test-lowest test-newest test-colab lint dist release-check github-release browser-test audit torch \
	frameworks bench fixup-10000 initializer-matrix lock clean check-python FORCE

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

# --- the environment ------------------------------------------------------------------------------

check-python:
	@"$(PYTHON)" -c '' >/dev/null 2>&1 || { \
		echo "Python 3.11 or newer is needed, and there is no '$(PYTHON)' here: install it, or name another with make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is $$("$(PYTHON)" -c 'import platform; print(platform.python_version())'): name a newer one with make PYTHON=..." >&2; exit 1; }

# Each is the record of an installation: .installed of requirements.txt and netinit, .lab of requirements/lab.txt.
# tools/environment.py looks at them whenever make runs, and writes one anew only after it had to install something.
SETS := browser lab lite lock torch
SETS_ON_TORCH := bench frameworks

$(VENV)/.installed: FORCE | check-python
	@"$(PYTHON)" -I tools/environment.py --folder $(VENV)

$(SETS:%=$(VENV)/.%): FORCE | check-python
	@"$(PYTHON)" -I tools/environment.py --folder $(VENV) $(@:$(VENV)/.%=%)

$(SETS_ON_TORCH:%=$(VENV)/.%): FORCE | check-python
	@"$(PYTHON)" -I tools/environment.py --folder $(VENV) torch $(@:$(VENV)/.%=%)

# The ranges in pyproject.toml become exact versions with hashes, for each Python from 3.11 on and each system.
COMPILE := $(RUN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) pyproject.toml
lock: $(VENV)/.lock ## write the locks from the ranges of pyproject.toml (with UPGRADE=1: the newest versions)
	@$(COMPILE) --extra book --extra test --output-file requirements.txt
	@for set in $(filter-out torch,$(SETS)) $(SETS_ON_TORCH); do \
		$(COMPILE) --extra $$set --constraint requirements.txt --output-file requirements/$$set.txt || exit 1; done
	@$(subst pyproject.toml,requirements/colab.in,$(COMPILE)) --output-file requirements/colab.txt

# --- the book -------------------------------------------------------------------------------------

# tools/build.py decides what there is to do. Where both are asked for, clean-book comes first, also with -j.
book: $(VENV)/.installed $(if $(BOOK_LITE),$(VENV)/.lite) $(filter clean-book,$(MAKECMDGOALS)) | check-python ## execute what changed and build the HTML book
	@$(RUN)/python tools/build.py --workers $(WORKERS)
	@echo "The book is built. Open $(CURDIR)/$(SITE)/index.html"

clean-book: $(VENV)/.installed | check-python ## remove the built book and the executed notebooks
	@$(RUN)/python tools/build.py --clean

portable: $(VENV)/.installed | check-python ## write notebooks that run and read well anywhere into _build/portable
	@$(RUN)/python tools/make_portable.py --workers $(WORKERS)

course: $(VENV)/.installed | check-python ## write the notebooks of a course, with and without the answers, into _build/course
	@$(RUN)/python tools/make_course.py --workers $(WORKERS)

publish-notebooks: | check-python ## push what `make portable` wrote to the branch `notebooks`, which Colab and Binder open
	@"$(PYTHON)" tools/publish.py

portable-check: portable ## run the portable notebooks where nothing but themselves is (some: ONLY=book/05-*.ipynb)
	@$(RUN)/python tools/check_portable.py $(patsubst book/%,_build/portable/%,$(ONLY))

# Where the folder of a Pyodide distribution is known, the notebooks run in the browser as a reader's do.
lite-check: portable $(VENV)/.lite $(VENV)/.browser ## run the portable notebooks inside a browser (needs Chromium and PYODIDE=folder; some: ONLY=...)
	@$(RUN)/python tools/check_lite.py $(patsubst book/%,_build/portable/%,$(ONLY))

lite: ## build the book with a JupyterLite in it, which runs the notebooks inside the browser
	@$(MAKE) --no-print-directory BOOK_LITE=1 book

serve: book ## serve the book on http://localhost:8000; a change rebuilds it and reloads the page
	@$(RUN)/python tools/serve.py --workers $(WORKERS)

pdf: book $(VENV)/.browser | check-python ## print the whole book into one PDF (needs Chromium; without solutions: EDITION=student)
	@$(RUN)/python tools/pdf.py $(if $(EDITION),--edition "$(EDITION)") $(if $(BOOK_ADDRESS),--address "$(BOOK_ADDRESS)")

pictures: $(VENV)/.installed | check-python ## draw the moving picture of the README and the card of the pages anew
	@$(RUN)/python tools/pictures.py

lab: portable $(VENV)/.lab | check-python ## open a copy of the notebooks in JupyterLab (options: ARGS="--no-browser --port 9999")
	@$(RUN)/python tools/lab.py $(ARGS)

notebooks: $(VENV)/.installed | check-python ## execute and normalize the notebooks in place (some: ONLY=book/05-*.ipynb)
	@$(RUN)/python tools/notebooks.py --workers $(WORKERS) $(ONLY)

stability: $(VENV)/.installed | check-python ## execute the notebooks with rounding errors planted: would other machines print the same? (RUNS=5)
	@$(RUN)/python tools/stability.py --runs $(RUNS) --workers $(WORKERS) $(ONLY)

# --- the checks -----------------------------------------------------------------------------------

UNIT_TESTS := $(RUN)/python -m pytest -q -n $(WORKERS) --ignore=tests/browser --ignore=tests/frameworks tests

test: $(VENV)/.installed | check-python ## run the unit tests, then every notebook through strict nbval
	@echo "Unit tests ..."
	@$(UNIT_TESTS)
	@echo "Notebooks: each cell is executed, and its text compared with the stored one ..."
	@$(RUN)/python -m pytest -q -n $(WORKERS) --dist loadfile --nbval --nbval-current-env book

unit-tests: $(VENV)/.installed | check-python ## run the unit tests alone
	@$(UNIT_TESTS)

test-matrix: | check-python ## run the unit tests with every Python that the book supports (or PYTHONS="...")
	@"$(PYTHON)" tools/matrix.py --make "$(MAKE)" --workers $(WORKERS) $(PYTHONS)

# $(call test-versions,resolution,options): the unit tests with other versions than the locked ones, in an environment
# of their own. The lowest versions may use what a newer neighbor deprecates.
define test-versions
@"$(PYTHON)" -m venv --clear _build/$(strip $(1))
@_build/$(strip $(1))/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/lock.txt
@_build/$(strip $(1))/bin/uv pip install --quiet --python _build/$(strip $(1)) --resolution $(strip $(1)) -e ".[book,test]"
@_build/$(strip $(1))/bin/python -m pytest -q -n $(WORKERS) $(2) --ignore=tests/browser --ignore=tests/frameworks tests
endef

test-slow: $(VENV)/.installed | check-python ## run the tests that install and build everything: the commands of the README
	@$(RUN)/python -m pytest -q -m slow tests

test-lowest: | check-python ## run the unit tests with the lowest versions that pyproject.toml allows
	$(call test-versions,lowest-direct,-W ignore::DeprecationWarning)

test-newest: | check-python ## run the unit tests with the newest versions that pyproject.toml allows
	$(call test-versions,highest)

# Python 3.12 is Colab's; where there is none, the environment's own Python takes its place.
COLAB_PYTHON ?= $(shell python3.12 -c "" 2>/dev/null && echo python3.12 || echo "$(PYTHON)")
COLAB := PYTHONPATH="$(CURDIR)/src" IPYTHONDIR="$(CURDIR)/_build/colab/ipython" \
	MPLCONFIGDIR="$(CURDIR)/_build/colab/matplotlib" _build/colab/bin/python \
	-m pytest -q -n $(WORKERS) -W ignore::DeprecationWarning

test-colab: | check-python ## run the live figures' tests and every notebook with the versions that Colab has
	@"$(COLAB_PYTHON)" -m venv --clear _build/colab
	@_build/colab/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/colab.txt
	@$(COLAB) tests/test_widgets.py tests/test_plots.py tests/test_figures_*.py
	@$(COLAB) --dist loadfile --nbval-lax --nbval-current-env $(or $(ONLY),book)

lint: $(VENV)/.installed | check-python ## check style, types and notebooks' form
	@$(RUN)/ruff check --quiet .
	@$(RUN)/ruff format --quiet --check .
	@$(RUN)/mypy --no-error-summary
	@$(RUN)/python tools/notebooks.py --check
	@$(RUN)/python tools/slips.py

dist: $(VENV)/.installed | check-python ## build the sdist and the wheel into dist/, and run the unit tests with them
	@$(RUN)/python tools/dist.py --workers $(WORKERS)

release-check: | check-python ## check that the tag (GITHUB_REF_NAME) is the version of pyproject.toml, CITATION.cff and CHANGELOG.md
	@"$(PYTHON)" tools/release.py check

github-release: | check-python ## make the release on GitHub, with its changes and what lies in dist/ (needs gh)
	@mkdir -p _build
	@"$(PYTHON)" tools/release.py notes > _build/release-notes.md
	@gh release create "$$GITHUB_REF_NAME" dist/* --verify-tag --notes-file _build/release-notes.md

browser-test: book $(VENV)/.browser ## drive the built book in a real browser (needs Chromium)
	@$(RUN)/python -m pytest -q -n $(WORKERS) --dist worksteal --timeout 240 tests/browser

# Lighthouse comes from npm; CHROME_PATH names another Chromium than the first that is installed.
audit: book $(VENV)/.browser ## measure every page: speed, accessibility, Tab stops, bytes (some: ONLY="05 13"; needs Chromium and Node.js)
	@$(RUN)/python tools/audit.py --only "$(ONLY)"

torch: $(VENV)/.torch | check-python ## install PyTorch, so that the tests that compare with it run

frameworks: $(VENV)/.frameworks | check-python ## run what the chapters show in PyTorch, JAX and Keras (installs them)
	@test -d tests/frameworks || { echo "There is no folder tests/frameworks, so there is nothing to run." >&2; exit 1; }
	@$(RUN)/python -m pytest -q tests/frameworks

bench: $(VENV)/.bench | check-python ## time netinit beside PyTorch and others, and print the table
	@$(RUN)/python -m benchmarks
	@$(RUN)/python -m benchmarks.fixup_10000

fixup-10000: $(VENV)/.installed | check-python ## train 10,000 residual blocks and record the result for the chapter on Fixup
	@$(RUN)/python -m benchmarks.fixup_10000 --record src/netinit/records/fixup-10000.json

initializer-matrix: $(VENV)/.installed | check-python ## train the matrix of the chapter on choosing an initializer and record it (some minutes)
	@$(RUN)/python -m benchmarks.initializer_matrix --jobs $(WORKERS) --record src/netinit/records/initializer-matrix.json

clean: ## remove everything that was installed or built
	@rm -rf $(VENV) $(VENV).lock _build .pytest_cache .ruff_cache .hypothesis .jupyterlite.doit.db
	@find book src tests tools -name __pycache__ -prune -exec rm -rf {} +
