// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <blkid.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage-init.h"

/* Returns libblkid's name for PARTUUID and PARTLABEL, or NULL for properties of file systems. */
static const char *entry_name(const char *name)
{
	if (!strcmp(name, "PARTUUID"))
		return "PART_ENTRY_UUID";
	if (!strcmp(name, "PARTLABEL"))
		return "PART_ENTRY_NAME";
	return NULL;
}

char *identity_of(const char *device, const char *name)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	const char *entry = entry_name(name), *value;
	blkid_probe probe = fd < 0 ? NULL : blkid_new_probe();
	char *result = NULL;

	if (probe && !blkid_probe_set_device(probe, fd, 0, 0)) {
		blkid_probe_enable_superblocks(probe, !entry);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
		blkid_probe_enable_partitions(probe, !!entry);
		blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
		/* The safe probe finds nothing if two file systems claim the same device. */
		if (!blkid_do_safeprobe(probe) && !blkid_probe_lookup_value(probe, entry ?: name, &value, NULL))
			result = strdup(value);
	}
	blkid_free_probe(probe);
	if (fd >= 0)
		close(fd);
	return result;
}
