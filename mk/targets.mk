# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What people type: run, test and its parts, bench, format, install. Included by Makefile, whose variables it uses.

.PHONY: run test test-vm unit replay e2e fuzz fuzz-targets fuzz-corpus sanitize sanitize-targets bench format format-check install uninstall clean help

run: ## install what is missing, build, trace a curl against a local HTTPS server, over HTTP/2 and HTTP/1.1; ARGS='-p PID' traces what you want
	@packaging/install-deps.sh run
	+@$(SUBMAKE) $(PARALLEL) all
	@HTTPTRACE_BPF=$(CLI) packaging/demo.sh $(ARGS)

test: ## install what is missing, build, run every test; TESTS='unit e2e' selects
	@packaging/install-deps.sh test
	@$(if $(call selected,vm),packaging/install-deps.sh vm || echo 'test: what needs other kernels is skipped' >&2)
	+@$(SUBMAKE) $(PARALLEL) tests
	+@$(if $(call selected,fuzz),$(SUBMAKE) fuzz-targets)
	+@$(if $(call selected,sanitize),$(SUBMAKE) sanitize-targets)
	@tests/run --build $(B) $(TESTS)
test-vm: ## tests under every kernel of tests/vm/kernels.py, emulated (root), and docs/kernels.md; KERNELS='6.1 6.12' selects: an hour or more each
	@packaging/install-deps.sh test
	@packaging/install-deps.sh vm
	+@$(SUBMAKE) $(PARALLEL) tests
	+@$(if $(call wants_arm64),packaging/install-deps.sh vm-arm64 && packaging/install-deps.sh arm64 && $(SUBMAKE) $(PARALLEL) ARCH=arm64 B=build-arm64 tests)
	@tests/run --build $(B) --long --kernels '$(or $(KERNELS),all)' vm
wants_arm64 = $(if $(IS_CROSS),,$(if $(KERNELS),$(findstring arm64,$(KERNELS)),yes))
selected = $(if $(TESTS),$(filter $(1),$(TESTS)),yes)

unit: $(UNIT_BIN) ## the C unit tests only (no libbpf, no root)
	@tests/run --build $(B) unit
replay: all ## the replay tests only (no root)
	@tests/run --build $(B) replay
e2e: all $(TOOL_BIN) ## the end to end tests only (root)
	@tests/run --build $(B) e2e
fuzz: fuzz-targets ## every fuzz target for T seconds each (20)
	@tests/run --build $(B) $(if $(T),--fuzz-seconds $(T)) fuzz
fuzz-corpus: fuzz-targets ## take into tests/fuzz/corpus what runs of `make fuzz` found, as few files as do
	@tests/fuzz/corpus.py
sanitize: sanitize-targets ## unit, replay and end to end tests with both sanitizers (root)
	@tests/run --build $(B) sanitize

# Builds of their own, as the library's objects must be instrumented too. By clang, whose two sanitizers share one run-time (gcc's undefined
# behaviour sanitizer writes no report file beside the other). Without that run-time nothing is built, and tests/run says so and counts it.
has_runtime = [ -e "$$($(CLANG) -print-file-name=lib/linux/libclang_rt.$(1)-$$(uname -m).a)" ]
fuzz-targets:
	+@if $(call has_runtime,fuzzer); then \
	$(SUBMAKE) $(PARALLEL) B=build-fuzz CC=$(CLANG) SAN=fuzzer $(patsubst $(B)/%,build-fuzz/%,$(FUZZ_BIN)); fi
sanitize-targets:
	+@if $(call has_runtime,asan); then $(SUBMAKE) $(PARALLEL) B=build-sanitize CC=$(CLANG) SAN=both tests; fi

bench: ## what tracing costs, beside bpftrace, sslsniff and tcpdump, into docs/performance.md; with BENCH='OPTIONS' (--help) into no file
	@packaging/install-deps.sh bench
	@packaging/install-deps.sh peers || echo 'bench: what is missing has no figures' >&2
	+@$(SUBMAKE) $(PARALLEL) all tools $(VM_LOADS)
	@tests/bench/bench.py --build $(B) $(or $(BENCH),--write docs/performance.md)

FORMATTED = $(sort $(wildcard include/*.h include/abi/*.h bpf/*.[ch] user/*/*.[ch] user/lib/*/*.[ch] user/lib/*/*/*.[ch] \
	examples/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] tests/*/*/*/*.[ch]))
format: ## clang-format every C file in place
	@packaging/install-deps.sh format
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)
format-check: ## fail if `make format` would change something
	@packaging/install-deps.sh format
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

# Editors take the exact commands from here.
comma := ,
define newline


endef
cdb = $(foreach f,$(2),{"directory":"$(CURDIR)"$(comma)"file":"$(f)"$(comma)"command":"$(strip $(1)) -c $(f)"})
compile_commands.json: $(addprefix $(B)/,flags flags-bpf sources sources-bpf) Makefile mk/targets.mk ## for editors and clang-tidy
	$(call say,GEN,$@)
	@: $(file >$@,[$(subst } {,}$(comma)$(newline){,$(strip \
		$(call cdb,$(CLANG) $(BPF_FLAGS),$(BPF_SRC)) \
		$(call cdb,$(compile) $(INC_lib),$(CORE_SRC)) $(call cdb,$(compile) $(INC_live),$(LIVE_SRC)) \
		$(call cdb,$(compile) $(INC_sink),$(SINK_SRC)) $(call cdb,$(compile) $(INC_cli),$(CLI_SRC)) \
		$(call cdb,$(compile) $(INC_unit),$(UNIT_SRC) $(UNIT_HELP)) $(call cdb,$(compile) $(INC_fuzz),$(FUZZ_SRC)) \
		$(call cdb,$(compile) $(INC_tool),$(TOOL_SRC)) $(call cdb,$(compile) $(INC_example),$(EXAMPLE_SRC))))])

MAN_PAGES = $(wildcard docs/*.[1-8])
install: all ## to PREFIX (/usr/local), below DESTDIR
	$(INSTALL) -D -m 755 $(CLI) $(DESTDIR)$(BINDIR)/httptrace-bpf
	$(INSTALL) -D -m 644 $(LIB_A) $(DESTDIR)$(LIBDIR)/libhttptrace.a
	$(INSTALL) -D -m 755 $(LIB_SO) $(DESTDIR)$(LIBDIR)/$(notdir $(LIB_SO))
	ln -sf $(notdir $(LIB_SO)) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libhttptrace.so
	$(INSTALL) -D -m 644 include/httptrace.h $(DESTDIR)$(INCDIR)/httptrace.h
	$(INSTALL) -D -m 644 packaging/httptrace-bpf.bash-completion $(DESTDIR)$(COMPDIR)/httptrace-bpf
	$(INSTALL) -d -m 755 $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCDIR@|$(INCDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		packaging/libhttptrace.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libhttptrace.pc
	$(foreach m,$(MAN_PAGES),$(INSTALL) -D -m 644 $(m) $(DESTDIR)$(MANDIR)/man$(lastword $(subst ., ,$(m)))/$(notdir $(m))$(newline)	)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig
uninstall: ## what install put there
	rm -f $(DESTDIR)$(BINDIR)/httptrace-bpf $(addprefix $(DESTDIR)$(LIBDIR)/,libhttptrace.a $(notdir $(LIB_SO)) $(SONAME) libhttptrace.so \
		pkgconfig/libhttptrace.pc) $(DESTDIR)$(INCDIR)/httptrace.h $(DESTDIR)$(COMPDIR)/httptrace-bpf \
		$(foreach m,$(MAN_PAGES),$(DESTDIR)$(MANDIR)/man$(lastword $(subst ., ,$(m)))/$(notdir $(m)))

clean: ## all that was built
	rm -rf build build-arm64 build-x86 build-sanitize build-fuzz compile_commands.json

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9_.-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile mk/targets.mk | expand -t 30
	@echo "Variables: ARCH CROSS_COMPILE SYSROOT CC CFLAGS LDFLAGS WERROR= V=1 B=DIR PREFIX DESTDIR ARGS TESTS KERNELS BENCH T"
