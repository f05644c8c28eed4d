// SPDX-License-Identifier: GPL-2.0-only
import type { StorageRow } from './schema.ts';

export interface Medium {
  /** The name in tables and charts. */
  readonly label: string;
  readonly bytesPerSecond: number;
  readonly requestsPerSecond: number;
}

/**
 * Storage of small machines, in decimal units.
 *
 * `sd`: the bus in High Speed mode moves 25 MB/s (SD Physical Layer Simplified Specification, section 3.9), and a card
 * of Application Performance Class A1 serves at least 1500 random reads of 4 KiB a second (section 4.16).
 *
 * `emmc`: the bus in High Speed DDR mode, 52 MHz and 8 bits, moves 104 MB/s (JESD84-B51, table of bus speed modes);
 * 6000 random reads a second is what Samsung gives for its eMMC 5.0 of 2015. Newer parts are faster in both.
 */
export const media: Readonly<Record<StorageRow['medium'], Medium>> = {
  sd: { label: 'SD card', bytesPerSecond: 25_000_000, requestsPerSecond: 1500 },
  emmc: { label: 'eMMC', bytesPerSecond: 104_000_000, requestsPerSecond: 6000 },
};

/**
 * Firmware that reads a unified kernel image through its own block driver, as far as loading goes: 85 ms a megabyte is
 * what systemd-stub takes under OVMF and on machines with a slow driver.
 */
export const firmware: Pick<Medium, 'label' | 'bytesPerSecond'> = {
  label: 'firmware',
  bytesPerSecond: 12_000_000,
};
