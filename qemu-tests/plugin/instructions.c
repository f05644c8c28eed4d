// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG that counts the instructions of each translated block and writes a line
 * `ADDRESS COUNT` for each to the file of its option out=, in hexadecimal and decimal.
 *
 * The declarations are those of qemu-plugin.h, version 1 of the interface, which QEMU 7.2 to 10 load.
 * Debian packages QEMU without the header.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
enum { ADD_U64 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*f)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *sum, uint64_t n);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*f)(uint64_t id, void *data), void *data);

#define EXPORT __attribute__((visibility("default")))
/* More than a boot has blocks; a power of two. */
#define BLOCKS (1 << 22)

EXPORT int qemu_plugin_version = 1;

static struct { uint64_t address, instructions; } blocks[BLOCKS];
static char path[4096];

/* A block that is translated again goes on counting where it was. */
static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	uint32_t i = address * 0x9e3779b97f4a7c15u >> 42;

	(void)id;
	while (blocks[i].address && blocks[i].address != address)
		i = (i + 1) % BLOCKS;
	blocks[i].address = address;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &blocks[i].instructions,
						 qemu_plugin_tb_n_insns(tb));
}

static void done(uint64_t id, void *data)
{
	FILE *out = fopen(path, "w");

	(void)id;
	(void)data;
	for (int i = 0; out && i < BLOCKS; i++)
		if (blocks[i].instructions)
			fprintf(out, "%" PRIx64 " %" PRIu64 "\n", blocks[i].address, blocks[i].instructions);
	if (!out || fclose(out))
		perror(path);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) || strlen(argv[0] + 4) >= sizeof(path)) {
		fprintf(stderr, "instructions: want the option out=FILE\n");
		return 1;
	}
	strcpy(path, argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, done, NULL);
	return 0;
}
