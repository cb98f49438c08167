import type { Child } from 'hono/jsx';

type FieldProps = {
  label: string;
  name: string;
  type?: 'text' | 'email' | 'password';
  value?: string | undefined;
  /** What a browser or a password manager may fill in. */
  autocomplete: string;
  /** What is needed, said before it is missing. */
  hint?: string | undefined;
  error?: string | undefined;
  numeric?: boolean;
  /** May be left empty. */
  optional?: boolean;
  /** Tells this field from another of the same name on the page. */
  at?: string;
};

/** One question of a form: its label above, what is needed below, and what was wrong with the answer. */
export function Field(props: FieldProps) {
  const { at = '', autocomplete, error, hint, label, name, numeric, type = 'text', value } = props;
  const id = `${name}${at}`;
  const described = [
    hint === undefined ? [] : [`${id}-hint`],
    error === undefined ? [] : [`${id}-error`],
  ].flat();
  return (
    <p class={error === undefined ? 'field' : 'field field-wrong'}>
      <label for={`field-${id}`}>{label}</label>
      <input
        id={`field-${id}`}
        name={name}
        type={type}
        autocomplete={autocomplete}
        {...(props.optional ? {} : { required: true })}
        {...(value === undefined ? {} : { value })}
        {...(numeric ? { inputmode: 'numeric', pattern: '[0-9 ]*', maxlength: 7 } : {})}
        {...(type === 'email' ? { spellcheck: false, autocapitalize: 'none' } : {})}
        {...(described.length > 0 ? { 'aria-describedby': described.join(' ') } : {})}
        {...(error === undefined ? {} : { 'aria-invalid': 'true' })}
      />
      {hint !== undefined && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error !== undefined && (
        <span class="field-error" id={`${id}-error`}>
          {error}
        </span>
      )}
    </p>
  );
}

/** A choice among few. */
export function Select(props: {
  label: string;
  name: string;
  options: readonly { readonly value: string; readonly text: string }[];
  value: string | undefined;
  hint?: string;
  error?: string | undefined;
  optional?: boolean;
}) {
  const { error, hint, label, name, options, value } = props;
  return (
    <p class={error === undefined ? 'field' : 'field field-wrong'}>
      <label for={`field-${name}`}>{label}</label>
      <select id={`field-${name}`} name={name} {...(props.optional ? {} : { required: true })}>
        <option value="">Please choose</option>
        {options.map((option) => (
          <option value={option.value} {...(option.value === value ? { selected: true } : {})}>
            {option.text}
          </option>
        ))}
      </select>
      {hint !== undefined && <span class="field-hint">{hint}</span>}
      {error !== undefined && <span class="field-error">{error}</span>}
    </p>
  );
}

/** What went wrong, before the form in which to put it right. */
export function FormError({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p class="form-error" role="alert">
      {text}
    </p>
  );
}

/** A button that does something by itself: a form of nothing else. */
export function Act(props: { action: string; children: Child; quiet?: boolean; describedby?: string }) {
  return (
    <form class="act" method="post" action={props.action}>
      <button
        class={props.quiet ? 'button-quiet' : 'button'}
        type="submit"
        {...(props.describedby === undefined ? {} : { 'aria-describedby': props.describedby })}
      >
        {props.children}
      </button>
    </form>
  );
}
