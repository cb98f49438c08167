type FieldProps = {
  id: string;
  name: string;
  label: string;
  type?: 'text' | 'search' | 'email';
  value?: string | undefined;
  /** What is asked for, in a line below the label. */
  hint?: string;
  /** What was wrong with what was sent. */
  problem?: string | undefined;
  /** Further attributes of the input. */
  input?: Readonly<Record<string, string | number | boolean>>;
};

/** A labelled field; what was wrong with it is read out with it. */
export function Field({ hint, id, input, label, name, problem, type = 'text', value }: FieldProps) {
  const described = [hint === undefined ? '' : `${id}-hint`, problem === undefined ? '' : `${id}-problem`]
    .filter((one) => one !== '')
    .join(' ');
  return (
    <p class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem !== undefined && (
        <span class="problem" id={`${id}-problem`}>
          {problem}
        </span>
      )}
      <input
        id={id}
        name={name}
        type={type}
        {...(value === undefined ? {} : { value })}
        {...(described === '' ? {} : { 'aria-describedby': described })}
        {...(problem === undefined ? {} : { 'aria-invalid': 'true' })}
        {...input}
      />
    </p>
  );
}
