import qrcode from 'qrcode-generator';

/** Light modules around a code, without which cameras do not find it (ISO/IEC 18004, 6.3.8). */
const QUIET = 4;

/** A text as a QR code, drawn into the page: the policy of our pages lets no picture in but our own files. */
export function QrCode({ label, text }: { label: string; text: string }) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const whole = size + 2 * QUIET;
  return (
    <svg
      class="qr-code"
      role="img"
      aria-label={label}
      viewBox={`${-QUIET} ${-QUIET} ${whole} ${whole}`}
      shape-rendering="crispEdges"
    >
      <rect class="qr-light" x={-QUIET} y={-QUIET} width={whole} height={whole} />
      <path class="qr-dark" d={darkModules(size, (row, column) => code.isDark(row, column))} />
    </svg>
  );
}

/** Dark modules as one path, a stroke for each that stand beside each other. */
function darkModules(size: number, isDark: (row: number, column: number) => boolean): string {
  let path = '';
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!isDark(row, column)) continue;
      const from = column;
      while (column < size && isDark(row, column)) column++;
      path += `M${from} ${row}h${column - from}v1h${from - column}z`;
    }
  }
  return path;
}
