// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { simulatedAioType } from './aio-type.js';
export { FILE_CALL_NAMES, type FileCallName, TYPICAL_FILE_ERRORS } from './call-names.js';
export type { FileChange } from './change.js';
export { PAGE_BYTES } from './content.js';
export type { DirectoryNode, Node } from './directory-node.js';
export { SimulatedFileCalls } from './file-calls.js';
export type { FileNode } from './file-node.js';
export { DEFAULT_CAPACITY_BYTES, SimulatedFileSystem } from './file-system.js';
export { type FileTimes, HostFiles } from './host-files.js';
export type { EntryOperation, FileOperation, NodeOperand } from './operation.js';
export { FileRecorder, type PrefixState } from './recording.js';
export { drawnSurvival, EVERYTHING_SURVIVES, NOTHING_SURVIVES, type Survival } from './survival.js';
