// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** An event's place in one list. */
export class EventNode<E> {
  previous: EventNode<E> | undefined;
  next: EventNode<E> | undefined;

  readonly event: E;

  constructor(event: E) {
    this.event = event;
  }
}

/** Events in the order in which they were registered (rules E1, E5): appended at the tail, removed anywhere at once. */
export class EventList<E> {
  head: EventNode<E> | undefined;
  tail: EventNode<E> | undefined;

  append(event: E): EventNode<E> {
    const node = new EventNode(event);
    if (this.tail) {
      node.previous = this.tail;
      this.tail.next = node;
    } else {
      this.head = node;
    }
    this.tail = node;
    return node;
  }

  remove(node: EventNode<E>): void {
    if (node.previous) node.previous.next = node.next;
    else this.head = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.tail = node.previous;
  }

  get isEmpty(): boolean {
    return this.head === undefined;
  }

  *[Symbol.iterator](): Generator<E, void, undefined> {
    for (let node = this.head; node; node = node.next) yield node.event;
  }
}
