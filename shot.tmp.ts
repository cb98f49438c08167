import { chromium } from 'playwright-core';
const base = 'http://localhost:4500';
const [email, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu','--disable-background-networking','--disable-component-update','--disable-sync','--no-first-run'] });
for (const [name, width, height, scheme] of [['phone', 390, 844, 'light'], ['desk', 1200, 800, 'dark']] as const) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  await page.goto(base + '/login');
  await page.fill('input[name=email]', email!);
  await page.fill('input[name=password]', 'correct horse battery');
  await page.keyboard.press('Enter');
  await page.waitForURL((u) => !u.pathname.startsWith('/login'));
  for (const path of paths) {
    await page.goto(base + path);
    await page.screenshot({ path: `/tmp/w/${path.replaceAll('/', '_')}-${email!.split('@')[0]}-${name}.png`, fullPage: true });
  }
  await context.close();
}
await browser.close();
