// SPDX-License-Identifier: GPL-2.0-only
#include "agent.h"

static uint32_t crc_table[4][256];

void crc_init(void)
{
	if (crc_table[0][1])
		return;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		crc_table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 4; k++)
			crc_table[k][i] = crc_table[k - 1][i] >> 8 ^
					  crc_table[0][crc_table[k - 1][i] & 0xff];
}

/* CRC-32 as in zlib, four bytes at a time: a guest under emulation is slow. */
uint32_t crc32(uint32_t crc, const volatile unsigned char *p, size_t len)
{
	crc = ~crc;
	for (; len >= 4; len -= 4, p += 4) {
		crc ^= *(const volatile uint32_t *)p;
		crc = crc_table[3][crc & 0xff] ^ crc_table[2][crc >> 8 & 0xff] ^
		      crc_table[1][crc >> 16 & 0xff] ^ crc_table[0][crc >> 24];
	}
	while (len--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}
