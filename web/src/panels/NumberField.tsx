/** A whole number that is taken when it is entered, not while it is typed. */

interface Props {
  name: string;
  value: number;
  min?: number;
  onValue: (value: number) => void;
}

export function NumberField({ name, value, min = -32768, onValue }: Props) {
  return (
    <input
      class="number"
      type="number"
      aria-label={name}
      title={name}
      min={min}
      max={32767}
      value={value}
      onChange={(event) => {
        const entered = Math.round(event.currentTarget.valueAsNumber);
        if (Number.isNaN(entered)) event.currentTarget.value = String(value);
        else onValue(Math.max(min, Math.min(32767, entered)));
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}
