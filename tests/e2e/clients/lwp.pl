#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Fetches URLs one after another with LWP, connections kept: lwp.pl [--post BYTES] URL...
# One line a URL: status and length of the content (LWP's own 500 for what never reached a server).
use strict;
use warnings;
use LWP::UserAgent;

my $post = @ARGV && $ARGV[0] eq '--post' ? (splice @ARGV, 0, 2)[1] : undef;
my $agent = LWP::UserAgent->new(keep_alive => 4, timeout => 30, env_proxy => 0);
my $failed = 0;
for my $url (@ARGV) {
	my $response = defined $post ? $agent->post($url, Content => 'x' x $post) : $agent->get($url);
	print $response->code, ' ', length($response->content), "\n";
	$failed = 1 if ($response->header('Client-Warning') // '') eq 'Internal response';
}
exit $failed;
