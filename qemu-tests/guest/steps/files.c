// SPDX-License-Identifier: GPL-2.0-only
/* Steps that change files and read them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent.h"

int step_mkdir(struct step *s)
{
	return done(mkdir(word(s, 1), s->argc > 2 ? strtoul(s->argv[2], NULL, 8) : 0755));
}

int step_write(struct step *s)
{
	return put(word(s, 1), O_CREAT | O_TRUNC, word(s, 2));
}

int step_append(struct step *s)
{
	return put(word(s, 1), O_APPEND, word(s, 2));
}

int step_chmod(struct step *s)
{
	return done(chmod(word(s, 1), strtoul(word(s, 2), NULL, 8)));
}

int step_unlink(struct step *s)
{
	return done(unlink(word(s, 1)));
}

int step_rename(struct step *s)
{
	return done(rename(word(s, 1), word(s, 2)));
}

int step_exchange(struct step *s)
{
	return done(renameat2(AT_FDCWD, word(s, 1), AT_FDCWD, word(s, 2), RENAME_EXCHANGE));
}

int put_lines(const char *path)
{
	char line[4096];
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		row_begin();
		row_text("line", line);
		row_end();
	}
	fclose(file);
	return 0;
}

int step_cat(struct step *s)
{
	return s->argc > 1 ? put_lines(s->argv[1]) : -EINVAL;
}

void put_statfs(const struct statfs *fs)
{
	row_hex("type", (unsigned long)fs->f_type);
	row_bool("readonly", fs->f_flags & ST_RDONLY);
	row_bool("nosuid", fs->f_flags & ST_NOSUID);
	row_bool("nodev", fs->f_flags & ST_NODEV);
	row_number("blocks", fs->f_blocks);
	row_number("bsize", fs->f_bsize);
}

int step_statfs(struct step *s)
{
	struct statfs fs;

	if (s->argc < 2)
		return -EINVAL;
	if (statfs(s->argv[1], &fs))
		return -errno;
	row_begin();
	put_statfs(&fs);
	row_end();
	return 0;
}
