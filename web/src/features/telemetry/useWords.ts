import { useTranslation } from 'react-i18next'
import { bytes, duration, percent } from '@/lib/format'
import { isNamed, unitOf } from './model'

/** Names and numbers of metrics for people. */
export function useWords() {
  const { t, i18n } = useTranslation()
  const { language } = i18n
  return {
    nameOf: (metric: string) => (isNamed(metric) ? t(`telemetry.metric.${metric}`) : metric),
    show: (metric: string, value: number, digits = 1) => {
      switch (unitOf(metric)) {
        case 'percent':
          return percent(value, language, digits)
        case 'bytes':
          return bytes(value, language)
        case 'celsius':
          return `${value.toLocaleString(language, { maximumFractionDigits: digits })} °C`
        case 'seconds':
          return duration(value)
        case 'number':
          return value.toLocaleString(language, { maximumSignificantDigits: 4 })
      }
    },
  }
}
