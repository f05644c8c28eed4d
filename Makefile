# SPDX-License-Identifier: GPL-2.0-only
# The front door. `make` alone lists what there is.

.DEFAULT_GOAL := help
.PHONY: help demo demo-system bench bench-tools profile results fuzz test unit smoke qemu-test qemu-test-slow test-kernels kernel kernel-deb deb kernel-edit kernel-refresh mbox kernel-check boot shim install check deps clean packages

# ARCH=arm64 cross-compiles kernel, agent and shim. Kernel people have it in their environment, where it counts, too.
override ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(or $(ARCH),$(KERNEL_ARCH),x86)))
ifeq ($(filter x86 arm64,$(ARCH)),)
$(error ARCH=$(ARCH): want x86 or arm64)
endif
export KERNEL_ARCH := $(ARCH)
# Of the version that kernel-patch/common.sh looks for.
packages_clang := clang-19 lld-19 llvm-19
packages_arm64 := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm

# Tests with the kernel left open run on the sanitizer kernel, too, and the smoke boots on the series for the LTS kernel,
# unless that is the series of the run. On arm64 they run on one kernel.
ifeq ($(KERNEL_VARIANT)$(BZIMAGE)$(filter arm64,$(ARCH)),)
also_on := debug
ifeq ($(KERNEL_SERIES)$(KERNEL_SRC)$(ONLY),)
backport = $(eval backport := $(filter-out $(firstword $(shell kernel-patch/fetch-source series)),6.12))$(backport)
endif
endif
KERNEL_VARIANT ?= patched
override BZIMAGE := $(abspath $(BZIMAGE))
export BZIMAGE CONFIG KERNEL_SERIES KERNEL_VARIANT KERNEL_SRC KERNEL_PATCHES KERNEL_CONFIG KERNEL_INITRAMFS INITRD FROM REPOSITORY
# The folder in which .ci/deps puts Node.js if the distribution's is too old.
export PATH := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/initoverlayfs/node/node_modules/.bin:$(PATH)

help:
	@echo 'make demo            boot a Debian initramfs as cpio and in place, and compare;'
	@echo '                     ARCH=arm64: the whole Debian of demo-system, of arm64, and an'
	@echo '                     initramfs that leads to it'
	@echo 'make demo-system     do the same with a whole Debian that boots from the initrd and never leaves it'
	@echo 'make bench           compare every way from an initrd to init, in build/bench: tables,'
	@echo '                     pictures, report. Goes on where it was stopped. PLAN=quick: in'
	@echo '                     minutes; PLAN=cost: what reading and mapping 100 MB cost; PLAN=profile:'
	@echo '                     small images by profile; PLAN=system: whole systems; PLAN=system-large:'
	@echo '                     of up to 2 GB; PLAN=one-file: one file on every kernel; ARCH=arm64:'
	@echo '                     PLAN=boots or quick there; ACCEL=kvm: wall-clock time; BENCH=--help:'
	@echo '                     more options'
	@echo 'make bench-tools     measure processor time and memory of initoverlayfs, cpio, 3cpio,'
	@echo '                     lsinitramfs and unmkinitramfs for trees of SIZES=100,500,5000 MB, of'
	@echo '                     ONLY=initoverlayfs alone; what was measured before stays'
	@echo 'make profile         list the kernel functions that reading a tree spends its instructions in:'
	@echo '                     FORM=kernel-lz4hc-4k, or another form of the bench'
	@echo 'make results         write what demo and bench measured into docs/results, README and RFC'
	@echo 'make test            check types, style and scripts, and run the unit tests; boots nothing'
	@echo 'make smoke           run the ten boots that decide; ARCH=arm64: those that run there, and what is'
	@echo '                     different there, with pages of 4K and 64K'
	@echo 'make qemu-test       run every test, some again with sanitizers in the kernel, and the smoke'
	@echo '                     boots on 6.12; the last line is `N passed, N failed`. ONLY=name: the'
	@echo '                     files whose names have it in them; ALL=yes: also the boots that test'
	@echo '                     what the bench measures with; KTAP=1: TAP version 13;'
	@echo '                     BZIMAGE=/path: on this kernel; KERNEL_VARIANT=patched|debug or'
	@echo '                     KERNEL_SERIES=7.3|6.12: on this one only'
	@echo 'make qemu-test-slow  run what is run once for a result: every test on the sanitizer kernel,'
	@echo '                     every patch booted, 200 boots in a row, every test on arm64. Hours'
	@echo 'make fuzz            mount and boot damaged images: SEED=1, N=1000, FUZZ="more options"'
	@echo 'make kernel          build a kernel: KERNEL_VARIANT=patched|stock|off|debug|clang|lsm,'
	@echo '                     ARCH=x86|arm64, KERNEL_SERIES=7.3|6.12, KERNEL_SRC=/path/to/linux,'
	@echo '                     KERNEL_PATCHES=N for the first N patches, =fixes for the fixes'
	@echo 'make kernel-deb      build Debian packages of the patched kernel for this machine, in build/deb:'
	@echo '                     CONFIG=/boot/config-..., the configuration to start from'
	@echo 'make kernel-edit     make commits of the series in build/linux-7.3 or build/linux-6.12'
	@echo 'make kernel-refresh  write those commits back into kernel-patch'
	@echo "make mbox            write the series as mails into build/mbox, to its maintainers:"
	@echo "                     FROM='Name <mail>', the sender;"
	@echo '                     KERNEL_SRC= a git tree, which they name as their base; REPOSITORY= the address'
	@echo '                     of this repository, for the cover letter'
	@echo 'make kernel-check    run checkpatch, documentation, sparse, W=1, configurations, KUnit and clang;'
	@echo '                     build and boot every patch in turn; run the smoke boots on arm64'
	@echo 'make boot IMG=...    boot an initrd with its console here: KERNEL=..., APPEND=...'
	@echo 'make shim            build the static programs initrd-extra, switch_root, archive-init,'
	@echo '                     storage-init, profile-record'
	@echo 'make check           check types, style, the shim and the scripts, and run checkpatch'
	@echo 'make install         install initoverlayfs with its manual page and completions;'
	@echo '                     PREFIX=/usr/local, DESTDIR='
	@echo 'make deb             build a Debian package of initoverlayfs and of hooks by which a system makes'
	@echo '                     combined initrds by itself, in build/package'
	@echo 'make deps            install the Debian packages that are missing'
	@echo 'make packages        install those, and the packages of npm that the tools and tests are made of'
	@echo 'make clean           remove build/ (kernels stay in the cache)'

deps:
	@.ci/deps $(packages_$(ARCH))

# npm ci empties node_modules first, so only when the lockfile is another. node-pty is
# compiled: with the headers that came with node if there are any, not fetched ones.
packages: deps
	@mkdir -p build && flock build/packages.lock sh -c '\
		cmp -s package-lock.json node_modules/.installed-lock || \
		{ node=$$(dirname "$$(dirname "$$(realpath "$$(command -v node)")")"); \
		[ ! -e "$$node/include/node/node.h" ] || export npm_config_nodedir="$$node"; \
		npm ci --no-progress >&2 && cp package-lock.json node_modules/.installed-lock; }'

demo: packages
	@npx --no tsx qemu-tests/src/bench/demo.ts $(if $(PLAN),--plan $(PLAN))

demo-system:
	@$(MAKE) demo PLAN=system

bench: packages
	@npx --no tsx qemu-tests/src/bench/bench.ts $(if $(PLAN),--plan $(PLAN)) $(BENCH)

bench-tools: packages
	@npx --no tsx qemu-tests/src/bench/tools.ts $(if $(SIZES),$(SIZES),$(if $(ONLY),'100,500,5000')) $(ONLY)

# The functions of the kernel that reading a tree in a form of the bench spends its instructions in.
profile: packages
	@npx --no tsx qemu-tests/src/bench/profile.ts $(FORM)

results: packages
	@npx --no tsx qemu-tests/src/bench/results.ts

reporters = $(if $(KTAP),--reporter=$(CURDIR)/.ci/ktap.mjs,--reporter=default --reporter=$(CURDIR)/.ci/skipped.mjs)
# $(1) the report, $(2) further words.
vitest = npx --no vitest run $(reporters) --reporter=json --passWithNoTests --outputFile.json=$(1) $(2) || touch $(1).failed
# The tests of what the bench measures with run where that may have changed.
projects = tools long unit boots $(if $(ALL)$(ONLY),bench)
# With KTAP=1, what is no TAP goes where progress goes.
tally = node .ci/tally.mjs $(1) $(if $(KTAP),>&2)

# One kernel after the other.
build = for variant in $(1); do KERNEL_VARIANT=$$variant kernel-patch/build-kernel >&2 || exit 1; done

# Side by side: most of what both take is starting programs.
test: packages
	@$(MAKE) --silent --jobs=2 check unit

unit: packages
	@npx --no vitest run --project tools --project unit

smoke: packages
	@$(call build,stock $(KERNEL_VARIANT))
	@$(if $(filter arm64,$(ARCH)),export KERNEL_CONFIG=CONFIG_ARM64_64K_PAGES=y; $(call build,$(KERNEL_VARIANT)))
	@$(MAKE) -s shim >&2
	@mkdir -p build && rm -f build/tests.json*
	@$(call vitest,build/tests.json,--project boots src/series/smoke $(if $(filter arm64,$(ARCH)),src/series/arm64))
	@$(call tally,build/tests.json)

# The kernels of qemu-test, of which .ci/run wants to know how long they take. The one without the series is first: the
# series changes headers, and the kernels that single tests build afterwards have it.
test-kernels: packages
	@$(call build,stock $(if $(BZIMAGE),,$(KERNEL_VARIANT)) off $(also_on))
	@$(foreach series,$(backport),export KERNEL_SERIES=$(series); $(call build,stock patched))

# With ONLY= a test builds what it needs.
qemu-test: $(if $(ONLY),packages,test-kernels)
	@mkdir -p build && rm -f build/tests*.json*
	@$(MAKE) -s shim >&2
	@$(call vitest,build/tests.json,$(projects:%=--project=%) $(ONLY))
ifdef also_on
	@KERNEL_VARIANT=debug $(call vitest,$(CURDIR)/build/tests-debug.json,\
		--root qemu-tests --config vitest.debug.config.ts $(ONLY))
endif
	@$(foreach series,$(backport),KERNEL_SERIES=$(series) QEMU_TEST_ARTEFACTS=$(CURDIR)/build/qemu-tests/$(series) \
		$(call vitest,build/tests-$(series).json,--project boots src/series/smoke))
	@kernel-patch/fetch-source series | sed -n 's/^\([^ ]*\) /SERIES \1: /p' $(if $(KTAP),>&2)
	@$(call tally,build/tests.json $(patsubst %,build/tests-%.json,$(also_on) $(backport)))

qemu-test-slow: packages
	@.ci/deps checkpolicy $(packages_clang)
	@npx --no vitest run --root qemu-tests --config vitest.slow.config.ts $(ONLY)
	@$(if $(ONLY),,SIGNAL_MOMENTS=50 npx --no vitest run --project long src/signals)
	@$(MAKE) qemu-test KERNEL_VARIANT=debug
	@$(if $(ONLY)$(filter arm64,$(ARCH)),,$(MAKE) qemu-test ARCH=arm64)

# On the sanitizer kernel unless KERNEL_VARIANT= says another. FUZZ=--help lists the options and what the exit
# status means.
fuzz: packages
	@npx --no tsx qemu-tests/src/fuzz/fuzz.ts --seed $(or $(SEED),1) --mutants $(or $(N),1000) \
		$(if $(filter command line environment,$(origin KERNEL_VARIANT)),--variant $(KERNEL_VARIANT)) $(FUZZ)

kernel:
	@kernel-patch/build-kernel

kernel-deb: deps
	@.ci/deps debhelper libdw-dev
	@kernel-patch/build-deb

kernel-edit:
	@kernel-patch/series edit

kernel-refresh:
	@kernel-patch/series refresh

mbox:
	@kernel-patch/write-mbox

kernel-check: packages
	@.ci/deps sparse $(packages_clang) python3-docutils gcc-aarch64-linux-gnu gcc-s390x-linux-gnu
	@kernel-patch/check-series
	@npx --no vitest run --root qemu-tests --config vitest.slow.config.ts patches configurations repeat
	@$(if $(filter arm64,$(ARCH)),,$(MAKE) smoke ARCH=arm64)

boot: packages
	@test -n '$(IMG)' || { echo 'make boot: say which initrd: IMG=/path/to/initrd' >&2; exit 2; }
	@npx --no tsx qemu-tests/src/machine/boot.ts '$(IMG)' $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(APPEND),--append '$(APPEND)')

# Most programs are linked with musl, and storage-init with libblkid.
shim_arm64 := OUT=../build/shim/arm64 CC=aarch64-linux-gnu-gcc
shim: deps
	@$(if $(filter arm64,$(ARCH)),libraries=$$(.ci/foreign-packages arm64 libblkid-dev musl-dev) &&) \
		$(MAKE) -s -C shim $(shim_$(ARCH)) $(if $(filter arm64,$(ARCH)),LIBRARIES="$$libraries") >&2
	@echo '$(CURDIR)/build/shim$(if $(shim_$(ARCH)),/$(ARCH))'

PREFIX ?= /usr/local
install: packages
	@npm run --silent build --workspace tools >&2
	@DESTDIR='$(DESTDIR)' tools/install '$(PREFIX)'

# From the programs as they are built, and not in two places at a time.
deb: packages
	@.ci/deps debhelper
	@mkdir -p build && flock build/package.lock sh -c '\
		npm run --silent build --workspace tools >&2 && tools/integration/build-deb'

check: packages
	@npm run --silent check
	@tools/integration/selftest
	@$(MAKE) -s shim >&2 && shim/selftest build/shim
	@kernel-patch/selftest
	@kernel-patch/check-series style

clean:
	rm -rf build
