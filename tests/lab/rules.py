# SPDX-License-Identifier: GPL-2.0-or-later
"""rules.py - what a lab's router loads beside the shipped rules, or in their place

Comes in:  a Lab that is not wired up yet: engine, addresses, forwarded ports.
Goes out:  text for iptables-restore or ip6tables-restore, or for nft.
"""

import re

# The helper that control connections carry; with pasvd, pasvd chooses it.
HELPERS = {"kernel-ftp": "ftp"}

CONTROL = 21    # of servers outside


def restore_text(tables):
    """{table: rules} as iptables-restore wants it."""
    return "".join(f"*{table}\n" + "".join(rule + "\n" for rule in lines) + "COMMIT\n"
                   for table, lines in tables.items() if lines)


def related(lab):
    """Data connections of the engine's helper."""
    helper = HELPERS.get(lab.engine)
    return [] if helper is None else [
        "-A FORWARD -p tcp -m conntrack --ctstate RELATED,ESTABLISHED "
        f"-m helper --helper {helper} -j ACCEPT"]


def forwarding(lab):
    """Servers behind the router, with an engine other than pasvd."""
    raw, nat, forward = [], [], related(lab)
    routed = set(lab.publics) & set(lab.inside_addresses)   # dialled by their own addresses
    for outside, number, inside in lab.forwards:
        server = lab.server_addresses[number]
        public = server if server in routed else lab.publics[0]
        dialled = f"-d {public}" if lab.hairpin or routed else "-i wan"
        if lab.engine in HELPERS:
            raw.append(f"-A PREROUTING {dialled} -p tcp --dport {outside} "
                       f"-j CT --helper {HELPERS[lab.engine]}")
        if server not in routed:
            nat.append(f"-A PREROUTING {dialled} -p tcp --dport {outside} "
                       f"-j DNAT --to-destination {lab.endpoint(server, inside)}")
        forward.append(f"-A FORWARD -d {server} -p tcp --dport {inside} "
                       f"-m conntrack --ctorigdstport {outside} -j ACCEPT")
        forward.append(f"-A FORWARD -s {server} -p tcp --sport {inside} "
                       f"-m conntrack --ctorigdstport {outside} -j ACCEPT")
        if lab.engine in ("direct", "blanket"):
            nat.append("-A PREROUTING -i wan -p tcp --dport 1024:65535 "
                       f"-j DNAT --to-destination {server}")
            forward.append(f"-A FORWARD -d {server} -p tcp --dport 1024:65535 -j ACCEPT")
            forward.append(f"-A FORWARD -s {server} -p tcp --sport 1024:65535 -j ACCEPT")
    return restore_text({"raw": raw, "nat": nat, "filter": forward})


def clients(lab):
    """LAN clients that follow FTP servers outside, with an engine other than pasvd."""
    helper = HELPERS.get(lab.engine)
    raw = [f"-A PREROUTING -i lan -p tcp --dport {CONTROL} -j CT --helper {helper}"]
    forward = [f"-A FORWARD -i lan -o wan -p tcp --dport {CONTROL} -j ACCEPT",
               f"-A FORWARD -i wan -o lan -p tcp --sport {CONTROL} "
               "-m conntrack --ctstate ESTABLISHED -j ACCEPT"]
    return restore_text({"raw": raw if helper else [], "filter": forward + related(lab)})


def source_nat(lab):
    """The admin's own rules: the way out, and the way back of a LAN client's hairpin."""
    target = f"SNAT --to-source {lab.snat}" if lab.snat else "MASQUERADE"
    nat = [f"-A POSTROUTING -o wan -j {target}"] if lab.masquerade else []
    if lab.hairpin:
        nat += [f"-A POSTROUTING -s {client} -d {server} -j MASQUERADE"
                for client in lab.lan_addresses for server in lab.inside_addresses]
    return restore_text({"nat": nat})


def let_through(text):
    """What rules for nft ask of the forward chain, as they say."""
    return re.findall(r"^#\t(.+)$", text, re.M)


def nft_firewall(lab, accepted):
    """With nft, what the admin has: a forward chain that drops the rest, and source_nat()."""
    ip = "ip" if lab.family.name == "ipv4" else "ip6"
    target = f"snat {ip} to {lab.snat}" if lab.snat else "masquerade"
    nat = [f'oifname "wan" meta nfproto {lab.family.name} {target}'] if lab.masquerade else []
    if lab.hairpin:
        nat += [f"{ip} saddr {client} {ip} daddr {server} masquerade"
                for client in lab.lan_addresses for server in lab.inside_addresses]
    return "\n".join(["table inet firewall {", "chain forward {",
                      "type filter hook forward priority filter; policy drop;", *accepted, "}",
                      "chain postrouting {", "type nat hook postrouting priority srcnat; policy accept;", *nat,
                      "}", "}", ""])
