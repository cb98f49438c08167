import type { Child } from 'hono/jsx';

/** A part of a page with its heading, and a line that says so where there is nothing. */
export function Part(props: { id: string; title: string; count: number; empty: string; children: Child }) {
  return (
    <section aria-labelledby={props.id}>
      <h2 id={props.id}>{props.title}</h2>
      {props.count === 0 ? <p class="empty">{props.empty}</p> : props.children}
    </section>
  );
}
