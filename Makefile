# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# In:  bpf/ user/ include/ vmlinux/ examples/ tests/. Sources are found by wildcard: a new file in a room needs no edit here.
# Out: everything below $(B) (build/, build-ARCH/, build-sanitize/, build-fuzz/) and compile_commands.json; nothing else is written, but for
#      the sysroot of another architecture, which is cached outside (tests/vm/root.py).
# Needs GNU make 4.2; `make run` and `make test` install the rest (packaging/install-deps.sh).
#
#   bpf/*.bpf.c ─ clang ─► bpf/*.bpf.o ─ bpftool gen object ─► gen/httptrace.o ─ bpftool gen skeleton ─► gen/httptrace.skel.h
#                      and bpf-old/*.bpf.o ─► gen/httptrace_old.o ─► gen/httptrace_old.skel.h, for older kernels
#   user/lib without live parts ─► libht-core.a (no libbpf: unit tests, fuzzing) ─┐
#   user/lib, all ─► libhttptrace.a, libhttptrace.so ─► httptrace-bpf, examples    └─ the same objects

VERSION   := $(shell sed -n 's/^.define HTTPTRACE_VERSION *"\([0-9.]*\)".*/\1/p' include/httptrace.h)
SOVERSION := 0

# ARCH=arm64 builds for that architecture, here by a cross compiler and against a sysroot of Debian's packages; CROSS_COMPILE=aarch64-linux-gnu-
# alone says the same. SYSROOT=DIR is another one; SYSROOT= none, where the compiler finds that architecture's libraries by itself.
arch_name = $(patsubst aarch64%,arm64,$(patsubst amd64,x86,$(patsubst x86_64%,x86,$(1))))
HOST_ARCH := $(call arch_name,$(shell uname -m))
ARCH      ?= $(or $(call arch_name,$(firstword $(subst -, ,$(notdir $(CROSS_COMPILE))))),$(HOST_ARCH))
override ARCH := $(call arch_name,$(ARCH))
TRIPLET_arm64 := aarch64-linux-gnu
TRIPLET_x86   := x86_64-linux-gnu
TRIPLET       := $(or $(TRIPLET_$(ARCH)),$(error ARCH is one of x86, arm64))
IS_CROSS      := $(filter-out $(HOST_ARCH),$(ARCH))
CROSS_COMPILE ?= $(if $(IS_CROSS),$(TRIPLET)-)

B       ?= build$(IS_CROSS:%=-%)
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCDIR  ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
CLANG        ?= clang
BPFTOOL      ?= bpftool
CLANG_FORMAT ?= clang-format
INSTALL      ?= install
# bpftool lives in sbin, which an ordinary user's PATH leaves out.
export PATH  := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
SUBMAKE    = $(MAKE) --no-print-directory
# Parallel unless the user gave a -j of his own.
PARALLEL   = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
ifeq ($(V),1)
Q   :=
say  = @:
else
Q   := @
say  = @printf '  %-7s %s\n' $(1) $(2)
endif

# --- what is there -------------------------------------------------------------------------------------------------------------------

BPF_SRC      := $(sort $(wildcard bpf/*.bpf.c))
LIB_SRC      := $(sort $(wildcard user/lib/*.c user/lib/*/*.c user/lib/*/*/*.c))
# Only these may use libbpf, libelf, libcapstone and the skeleton.
LIVE_SRC     := $(filter user/lib/source/live% user/lib/attach/% user/lib/dispatch/open_live%,$(LIB_SRC))
CORE_SRC     := $(filter-out $(LIVE_SRC),$(LIB_SRC))
SINK_SRC     := $(sort $(wildcard user/sink/*.c))
CLI_SRC      := $(sort $(wildcard user/cli/*.c))
EXAMPLE_SRC  := $(sort $(wildcard examples/*.c))
# tests/unit/test_*.c are programs; other .c files there help them all. Those that include a header of a live part get the whole library, the
# others the core only.
UNIT_SRC     := $(sort $(wildcard tests/unit/test_*.c))
UNIT_LIVE    := $(if $(UNIT_SRC),$(shell grep -lE '^.include "(attach/|source/live)' $(UNIT_SRC)))
# This one is a user of the shared library, and has a part in C++.
UNIT_API     := tests/unit/test_public_api.c
UNIT_API_CXX := tests/unit/public_api.cc
UNIT_CORE    := $(filter-out $(UNIT_LIVE) $(UNIT_API),$(UNIT_SRC))
UNIT_HELP    := $(filter-out $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c)))
FUZZ_SRC     := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIVE    := $(if $(FUZZ_SRC),$(shell grep -lE '^.include "(attach/|source/live)' $(FUZZ_SRC)))
FUZZ_CORE    := $(filter-out $(FUZZ_LIVE),$(FUZZ_SRC))
# Each one a program: clients and servers for the end to end tests and the benchmark.
TOOL_SRC     := $(sort $(wildcard tests/e2e/*.c tests/e2e/*/*.c tests/bench/*.c tests/replay/*.c))
# Those that use the public header are linked with the library.
TOOL_API     := $(if $(TOOL_SRC),$(shell grep -l '^.include <httptrace.h>' $(TOOL_SRC)))

obj       = $(patsubst %.c,$(B)/obj/%.o,$(1))
BPF_OBJ   := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(BPF_SRC))
# The same for kernels that lack what the others use (bpf/kernel.bpf.h).
BPF_OLD   := $(patsubst bpf/%.bpf.c,$(B)/bpf-old/%.bpf.o,$(BPF_SRC))
UNIT_BIN  := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
FUZZ_BIN  := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SRC))
TOOL_BIN  := $(patsubst %.c,$(B)/%,$(TOOL_SRC))
EXAMPLES  := $(patsubst %.c,$(B)/%,$(EXAMPLE_SRC))
SKEL      := $(B)/gen/httptrace.skel.h $(B)/gen/httptrace_old.skel.h
CORE_A    := $(B)/libht-core.a
SINKS_A   := $(B)/libht-sinks.a
UNITH_A   := $(B)/libht-unit-help.a
LIB_A     := $(B)/libhttptrace.a
SONAME    := libhttptrace.so.$(SOVERSION)
LIB_SO    := $(B)/libhttptrace.so.$(VERSION)
CLI       := $(B)/httptrace-bpf
# Preloaded into the program under other kernels: it tells what the verifier says.
VM_LOADS  := $(B)/tests/vm/loads.so
CHECKS    := $(B)/check/core-without-libbpf.so $(B)/check/httptrace-bpf-shared

# --- flags ---------------------------------------------------------------------------------------------------------------------------

WERROR    ?= -Werror
WARN      := -Wall -Wextra $(WERROR) -Wshadow -Wmissing-prototypes -Wstrict-prototypes
CFLAGS    ?= -O2 -g
# -D_GNU_SOURCE= (empty, as a plain #define of it in a file expands to) so that a file may also say it for itself.
BASE      := -std=gnu11 $(WARN) -D_GNU_SOURCE= -fPIC -fvisibility=hidden -pthread -MMD -MP
SAN       ?=
SAN_both    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SAN_fuzzer  := -O1 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANFLAGS  := $(if $(SAN),$(or $(SAN_$(SAN)),$(error SAN is one of both, fuzzer)))

INC_lib     := -Iinclude -Iuser/lib
INC_live    := $(INC_lib) -I$(B)/gen
# Sinks and the command line use the public header only: the library's own headers are out of their reach.
INC_sink    := -Iinclude -Iuser/sink
INC_cli     := -Iinclude -Iuser/cli -Iuser/sink
INC_unit    := -Iinclude -Iuser/lib -Iuser/sink -Itests/unit
# tests/fuzz/programs.h compiles BPF code for user space: the shim's headers stand in for the kernel's types and libbpf's helpers.
INC_fuzz    := $(INC_unit) -Itests/fuzz -Itests/fuzz/shim
INC_tool    := -Iinclude
INC_example := -Iinclude

CORE_LIBS ?= -lnghttp2
LIVE_LIBS ?= -lbpf -lelf -lz -lcapstone
TOOL_LIBS ?= -lssl -lcrypto
# Of one program only: a library that a process maps is probed, or looked at.
TOOL_LIBS_client_h2 := -lnghttp2
LDFLAGS   ?=

# clang is every architecture's compiler, gcc one's.
TARGET    = $(if $(IS_CROSS),$(if $(findstring clang,$(CC)),--target=$(TRIPLET)) $(SYSROOT:%=--sysroot=%))
TARGET_CXX = $(if $(IS_CROSS),--target=$(TRIPLET) $(SYSROOT:%=--sysroot=%))
compile   = $(strip $(CC) $(TARGET)) $(BASE) $(CFLAGS) $(SANFLAGS) $(CPPFLAGS)
link      = $(strip $(CC) $(TARGET)) -pthread $(CFLAGS) $(SANFLAGS) $(LDFLAGS)
# Programs of a sanitized build have the sanitizers' options built in; what they report goes there.
SAN_OBJ     := $(if $(filter both,$(SAN)),$(B)/obj/tests/sanitizer.o)
SAN_CHECK   := $(if $(SAN_OBJ),$(B)/tests/sanitizer_check)
SAN_REPORTS := $(abspath $(B))/reports
link_program = $(link) $(SAN_OBJ)

BPF_FLAGS := -target bpf -O2 -g -std=gnu11 -Wall -Wextra $(WERROR) -Wshadow -D__TARGET_ARCH_$(ARCH) -Iinclude -Ivmlinux -Ibpf -MMD -MP

# Files that change when, and only when, how something is built changes, or which sources there are. They are compared while make reads
# this file, not by a rule, so that a second make has nothing to do.
READONLY    := help clean format format-check install-deps uninstall
ifneq ($(filter-out $(READONLY),$(or $(MAKECMDGOALS),all)),)
ifeq ($(findstring n,$(filter-out -%,$(firstword $(MAKEFLAGS)))),)
keep_if_same = $(if $(subst x$(strip $(2)),,x$(strip $(file <$(1))))$(subst x$(strip $(file <$(1))),,x$(strip $(2))),$(file >$(1),$(2)))
$(shell mkdir -p $(B))
ifneq ($(IS_CROSS),)
ifeq ($(origin SYSROOT),undefined)
SYSROOT := $(or $(shell tests/vm/root.py $(ARCH)-build),$(error no sysroot for $(ARCH); SYSROOT=DIR names another))
endif
endif
$(call keep_if_same,$(B)/flags,$(compile) | $(link) | $(CORE_LIBS) $(LIVE_LIBS) $(TOOL_LIBS))
$(call keep_if_same,$(B)/flags-bpf,$(CLANG) $(BPF_FLAGS) $(BPFTOOL))
$(call keep_if_same,$(B)/sources,$(LIB_SRC) $(SINK_SRC) $(CLI_SRC) $(UNIT_HELP))
$(call keep_if_same,$(B)/sources-bpf,$(BPF_SRC))
endif
endif

# --- the build -----------------------------------------------------------------------------------------------------------------------

.PHONY: all lib bpf tests checks fuzz-targets tools
all: $(CLI) lib $(EXAMPLES) ## the program, the library, the examples (the default)
lib: $(LIB_A) $(LIB_SO) $(B)/$(SONAME) $(B)/libhttptrace.so
bpf: $(SKEL)
tools: $(TOOL_BIN)
checks: $(CHECKS)
tests: all checks $(UNIT_BIN) $(TOOL_BIN) $(SAN_CHECK) $(if $(SAN),,$(VM_LOADS))

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/flags-bpf
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -c $< -o $@

$(B)/bpf-old/%.bpf.o: bpf/%.bpf.c $(B)/flags-bpf
	$(call say,BPFOLD,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -DHT_OLD -c $< -o $@

$(B)/gen/httptrace.o: $(BPF_OBJ) $(B)/sources-bpf
$(B)/gen/httptrace_old.o: $(BPF_OLD) $(B)/sources-bpf
$(B)/gen/httptrace.o $(B)/gen/httptrace_old.o:
	$(call say,BPFLINK,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $(filter %.bpf.o,$^)

$(SKEL): $(B)/gen/%.skel.h: $(B)/gen/%.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# One rule for each room, with that room's include paths: $(call compile_room,room,sources[,more prerequisites])
define compile_room
$(call obj,$(2)): $(B)/obj/%.o: %.c $(B)/flags $(3)
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(compile) $$(INC_$(1)) -c $$< -o $$@
endef
$(eval $(call compile_room,lib,$(CORE_SRC)))
$(eval $(call compile_room,live,$(LIVE_SRC),| $(SKEL)))
$(eval $(call compile_room,sink,$(SINK_SRC)))
$(eval $(call compile_room,cli,$(CLI_SRC)))
$(eval $(call compile_room,unit,$(UNIT_CORE) $(UNIT_HELP)))
$(eval $(call compile_room,fuzz,$(FUZZ_SRC)))
$(eval $(call compile_room,unit,$(UNIT_LIVE)))
$(eval $(call compile_room,tool,$(TOOL_SRC)))
$(eval $(call compile_room,example,$(EXAMPLE_SRC) $(UNIT_API)))

# clang has C++ with it, gcc in a package of its own. No library of C++ is needed.
$(B)/obj/$(UNIT_API_CXX).o: $(UNIT_API_CXX) $(B)/flags
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(TARGET_CXX) -x c++ -std=c++11 -Wall -Wextra $(WERROR) -Wold-style-cast -fno-exceptions -fno-rtti -fPIC -O2 -g $(INC_example) -MMD -MP -c $< -o $@

define archive
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)
endef
$(CORE_A): $(call obj,$(CORE_SRC)) $(B)/sources
	$(archive)
$(LIB_A): $(call obj,$(LIB_SRC)) $(B)/sources
	$(archive)
$(SINKS_A): $(call obj,$(SINK_SRC)) $(B)/sources
	$(archive)
$(UNITH_A): $(call obj,$(UNIT_HELP)) $(B)/sources
	$(archive)

# -z defs is left out under a sanitizer, whose run-time clang links into programs only.
$(LIB_SO): $(call obj,$(LIB_SRC)) user/lib/libhttptrace.map $(B)/sources
	$(call say,LD,$@)
	$(Q)$(link) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=user/lib/libhttptrace.map $(if $(SAN),,-Wl,-z,defs) \
		$(filter %.o,$^) $(CORE_LIBS) $(LIVE_LIBS) -o $@
$(B)/$(SONAME) $(B)/libhttptrace.so: $(LIB_SO)
	@ln -sf $(<F) $@

$(CLI): $(call obj,$(CLI_SRC)) $(SINKS_A) $(LIB_A)
	$(call say,LD,$@)
	$(Q)$(link_program) $(call obj,$(CLI_SRC)) $(SINKS_A) $(LIB_A) $(CORE_LIBS) $(LIVE_LIBS) -o $@

# Two proofs by the linker: the core needs no libbpf, and the program needs no more of the library than it exports.
$(B)/check/core-without-libbpf.so: $(CORE_A)
	$(call say,CHECK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -shared $(if $(SAN),,-Wl,-z,defs) -Wl,--whole-archive $< -Wl,--no-whole-archive $(CORE_LIBS) -o $@
$(B)/check/httptrace-bpf-shared: $(call obj,$(CLI_SRC)) $(SINKS_A) $(LIB_SO) $(B)/$(SONAME) $(B)/libhttptrace.so
	$(call say,CHECK,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(call obj,$(CLI_SRC)) $(SINKS_A) -L$(B) -lhttptrace -Wl,-rpath-link,$(B) -o $@

# Examples are linked as a user's program is: against the shared library and the one public header.
$(EXAMPLES): $(B)/examples/%: $(B)/obj/examples/%.o $(B)/libhttptrace.so $(B)/$(SONAME)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $< -L$(B) -lhttptrace -Wl,-rpath,'$$ORIGIN/..' -o $@

unit_bin = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(1))
$(call unit_bin,$(UNIT_CORE)): $(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(UNITH_A) $(SINKS_A) $(CORE_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $< $(UNITH_A) $(SINKS_A) $(CORE_A) $(CORE_LIBS) -lcmocka -o $@
$(call unit_bin,$(UNIT_LIVE)): $(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(UNITH_A) $(SINKS_A) $(LIB_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $< $(UNITH_A) $(SINKS_A) $(LIB_A) $(CORE_LIBS) $(LIVE_LIBS) -lcmocka -o $@
$(call unit_bin,$(UNIT_API)): $(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(B)/obj/$(UNIT_API_CXX).o $(B)/libhttptrace.so $(B)/$(SONAME)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(filter-out $(SAN_OBJ),$(filter %.o,$^)) -L$(B) -lhttptrace -lcmocka -Wl,-rpath,'$$ORIGIN/../..' -o $@
fuzz_bin = $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(1))
$(call fuzz_bin,$(FUZZ_CORE)): $(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(SINKS_A) $(CORE_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -fsanitize=fuzzer $< $(SINKS_A) $(CORE_A) $(CORE_LIBS) -o $@
$(call fuzz_bin,$(FUZZ_LIVE)): $(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(SINKS_A) $(LIB_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -fsanitize=fuzzer $< $(SINKS_A) $(LIB_A) $(CORE_LIBS) $(LIVE_LIBS) -o $@
tool_bin = $(patsubst %.c,$(B)/%,$(1))
$(call tool_bin,$(filter-out $(TOOL_API),$(TOOL_SRC))): $(B)/%: $(B)/obj/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $< $(TOOL_LIBS) $(TOOL_LIBS_$(notdir $@)) -o $@
$(call tool_bin,$(TOOL_API)): $(B)/%: $(B)/obj/%.o $(LIB_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $< $(LIB_A) $(CORE_LIBS) $(LIVE_LIBS) -o $@

$(VM_LOADS): tests/vm/loads.c $(B)/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(compile) -shared $< -o $@ -ldl

# A sanitized build: the object with its options, and a program that proves that it reports.
$(B)/obj/tests/sanitizer.o: tests/sanitizer.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@mkdir -p -m 1777 $(SAN_REPORTS)
	$(Q)$(compile) -DHT_SANITIZER_REPORTS='"$(SAN_REPORTS)"' -c $< -o $@
$(B)/tests/sanitizer_check: tests/sanitizer_check.c $(B)/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(compile) $< $(SAN_OBJ) -o $@
$(if $(SAN_OBJ),$(eval $(CLI) $(CHECKS) $(EXAMPLES) $(UNIT_BIN) $(TOOL_BIN) $(SAN_CHECK): $(SAN_OBJ)))

-include $(patsubst %.o,%.d,$(BPF_OBJ) $(BPF_OLD) \
	$(call obj,$(LIB_SRC) $(SINK_SRC) $(CLI_SRC) $(EXAMPLE_SRC) $(UNIT_SRC) $(UNIT_HELP) $(FUZZ_SRC) $(TOOL_SRC)) $(B)/obj/$(UNIT_API_CXX).o)

include mk/targets.mk
