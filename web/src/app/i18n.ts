import i18n from 'i18next'
import { initReactI18next } from 'react-i18next'
import en from './locales/en.json'

/**
 * Every word of the console is in a catalogue. English comes with the first load; another language is one more file in
 * `locales/` (`de.json`, the same keys): it is then offered in the profile menu and loaded when it is chosen. A key
 * that it lacks falls back to English.
 */
const others = import.meta.glob<{ default: typeof en }>(['./locales/*.json', '!./locales/en.json'])
const codeOf = (path: string) => path.replace(/^.*\/|\.json$/g, '')
const KEY = 'edgeflow.language'

export const languages: readonly string[] = ['en', ...Object.keys(others).map(codeOf)]

function preferred(): string {
  let stored: string | null = null
  try {
    stored = localStorage.getItem(KEY)
  } catch {
    // Storage may be refused; then the browser decides.
  }
  const wanted = [stored, ...navigator.languages].map((tag) => tag?.toLowerCase().split('-')[0])
  return wanted.find((code) => code && languages.includes(code)) ?? 'en'
}

export async function setLanguage(code: string): Promise<void> {
  const path = Object.keys(others).find((each) => codeOf(each) === code)
  const load = path ? others[path] : undefined
  if (load) i18n.addResourceBundle(code, 'translation', (await load()).default)
  await i18n.changeLanguage(code)
  document.documentElement.lang = code
  try {
    localStorage.setItem(KEY, code)
  } catch {
    // Remembered for this page only.
  }
}

export async function startI18n(): Promise<void> {
  await i18n.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  })
  const code = preferred()
  // English numbers and dates in the reader's own region: en-GB, not en-US for everyone.
  if (code !== 'en') await setLanguage(code)
}
