/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bpf_tracing.h - the payload programs include it with the others and use nothing of it. */
