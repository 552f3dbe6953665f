# SPDX-License-Identifier: GPL-2.0-or-later
"""test_payload.py - the program in the rules that looks for payload, and what nft has in its place"""

import re
import socket
import struct

import pytest
from lab import Namespace, wait_for
from printed import OPTIONS, OPTIONS6, needs_root, pasvd_rules

IPV6_HDRINCL = 36 # linux/in6.h
TCP_ACK = 0x10


def tcp_segment(header_words, length):
    """Numbers of all ones: who takes them for a header length finds nothing behind it."""
    return struct.pack("!HHIIBBHHH", 4000, 4001, 0xffffffff, 0xffffffff, header_words << 4, TCP_ACK, 1000, 0, 0) + \
        bytes((header_words - 5) * 4) + b"x" * length


class Matcher:
    """A namespace that sends packets to itself past the `-m bpf` of the printed rules."""

    def __init__(self, *options):
        self.ns = Namespace("matcher")
        self.ns.ip("link set lo up")
        self.ipv6 = "fd00::2" in options
        self.iptables = "ip6tables" if self.ipv6 else "iptables"
        self.load(pasvd_rules(*options).stdout)
        family = socket.AF_INET6 if self.ipv6 else socket.AF_INET
        with self.ns.inside():
            self.socket = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def load(self, text):
        self.ns.run(self.iptables + "-restore", input="*mangle\n-A PREROUTING -p tcp " + re.search(
            r'-m bpf --bytecode "[\d ,]+"', text)[0] + " -j ACCEPT\nCOMMIT\n")

    def close(self):
        self.socket.close()
        self.ns.close()

    def send(self, segment, options=b"", next_header=socket.IPPROTO_TCP):
        if self.ipv6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
            address = socket.inet_pton(socket.AF_INET6, "::1")
            head = struct.pack("!IHBB", 6 << 28, len(options + segment), next_header, 64) + address * 2
            self.socket.sendto(head + options + segment, ("::1", 0))
        else:
            head = struct.pack("!BBHHHBBHII", 4 << 4 | (5 + len(options) // 4), 0, 0, 0, 0, 64, next_header, 0,
                               0x7f000001, 0x7f000001) # the kernel fills in length and checksum
            self.socket.sendto(head + options + segment, ("127.0.0.1", 0))

    def seen(self):
        listed = self.ns.run(self.iptables, "-t", "mangle", "-vxnL", "PREROUTING").stdout
        return int(re.search(r"^ *(\d+) +\d+ ACCEPT ", listed, re.M)[1])

    def matches_exactly(self, count):
        """A last packet that surely matches shows that all before it have been through."""
        self.send(tcp_segment(5, 5))
        wait_for(lambda: self.seen() > count, what=f"{count} matches and one")
        return self.seen() == count + 1


class NftMatcher(Matcher):
    """Past the `@ih` of the printed rules for nft."""

    def load(self, text):
        match = re.search(r"ct status dnat (@ih,\S+ .*) counter", text)[1]
        self.ns.run("nft", "-f", "-", input="table inet matcher {\nchain c {\ntype filter hook prerouting priority 0;\n"
                    f"meta l4proto tcp {match} counter accept\n}}\n}}\n")

    def seen(self):
        return int(re.search(r"counter packets (\d+)", self.ns.run("nft", "list", "table", "inet", "matcher").stdout)[1])


@pytest.fixture
def matcher(request):
    result = (NftMatcher if "--nft" in request.param else Matcher)(*request.param)
    yield result
    result.close()


HEADER_WORDS = range(5, 16)
NFT, NFT6 = (*OPTIONS, "--nft"), (*OPTIONS6, "--nft")


@needs_root
class TestPayloadProgram:
    @pytest.mark.parametrize("matcher", [OPTIONS, OPTIONS6, NFT, NFT6], indirect=True, ids=" ".join)
    @pytest.mark.parametrize("length", range(6))
    def test_is_exact_for_all_header_lengths(self, matcher, length):
        for words in HEADER_WORDS:
            matcher.send(tcp_segment(words, length))
        assert matcher.matches_exactly(len(HEADER_WORDS) if length else 0)

    @pytest.mark.parametrize("matcher", [OPTIONS, NFT], indirect=True, ids=" ".join)
    @pytest.mark.parametrize("length", range(6))
    def test_is_exact_behind_ipv4_options(self, matcher, length):
        for words in range(1, 11):
            matcher.send(tcp_segment(8, length), options=b"\x01" * words * 4) # no operation
        assert matcher.matches_exactly(10 if length else 0)

    @pytest.mark.parametrize("matcher,exact", [(OPTIONS6, False), (NFT6, True)], indirect=["matcher"])
    @pytest.mark.parametrize("length", range(2))
    def test_matches_behind_ipv6_extension_headers(self, matcher, exact, length):
        """The program cannot walk over them, and matches whatever is behind."""
        for first in (socket.IPPROTO_HOPOPTS, socket.IPPROTO_DSTOPTS):
            for units in range(3):
                size = 8 + units * 8
                # An option that is to be skipped if it is not known: padding of this length would be refused.
                header = struct.pack("BBBB", socket.IPPROTO_TCP, units, 0x1e, size - 4) + b"\xff" * (size - 4)
                matcher.send(tcp_segment(8, length), options=header, next_header=first)
        assert matcher.matches_exactly(6 if length or not exact else 0)
