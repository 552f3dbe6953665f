/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy.c - whether the tables of iptables-legacy have changed */
#include "legacy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#include "pasvd/array.h"

/* Both families have the same numbers and structures: linux/netfilter_ipv6/ip6_tables.h. */
static const struct legacy_family {
	const char *names; /* of the tables that there are */
	int domain, level;
} families[] = {
	{"/proc/self/net/ip_tables_names", AF_INET, IPPROTO_IP},
	{"/proc/self/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6},
};

/* FNV-1a. */
static uint64_t legacy_mix(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash;
}

static uint64_t legacy_mix_table(uint64_t hash, int fd, int level, const char *name)
{
	struct ipt_getinfo info = {0};
	socklen_t len = sizeof(info);

	memcpy(info.name, name, strnlen(name, sizeof(info.name) - 1));
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) != 0)
		memset(&info, 0, sizeof(info));
	return legacy_mix(hash, &info, sizeof(info));
}

static uint64_t legacy_mix_family(uint64_t hash, const struct legacy_family *f)
{
	FILE *names = fopen(f->names, "re");
	int fd = names ? socket(f->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;
	char name[XT_TABLE_MAXNAMELEN + 1];

	while (fd >= 0 && fgets(name, sizeof(name), names)) {
		name[strcspn(name, "\n")] = '\0';
		hash = legacy_mix_table(hash, fd, f->level, name);
	}
	if (names)
		fclose(names);
	if (fd >= 0)
		close(fd);
	return hash;
}

uint64_t legacy_fingerprint(void)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		hash = legacy_mix_family(hash, &families[i]);
	return hash;
}
