import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { instanceQuery } from '@/lib/instance'
import css from './login.module.css'

interface AuthFrameProps {
  /** The product's mark; given, since the design system and features know no logo. */
  mark: ReactNode
  title: string
  lead?: ReactNode
  children: ReactNode
}

/** The frame of every page before the login. */
export function AuthFrame({ mark, title, lead, children }: AuthFrameProps) {
  const { t } = useTranslation()
  const { data: instance } = useQuery(instanceQuery)
  useEffect(() => {
    document.title = `${title} · EdgeFlow`
  }, [title])
  return (
    <div className={css.page}>
      <aside className={css.side} aria-hidden>
        <Traces />
      </aside>
      <main className={css.main}>
        <div className={css.box}>
          <div className={css.mark}>{mark}</div>
          <h1 className={css.title}>{title}</h1>
          {lead && <p className={css.lead}>{lead}</p>}
          {children}
          <p className={css.version}>
            {instance ? t('auth.version', { version: instance.version }) : ' '}
          </p>
        </div>
      </main>
    </div>
  )
}

/** Traces of a board that end in devices: the product in one drawing. */
function Traces() {
  return (
    <svg
      aria-hidden
      viewBox="0 0 420 640"
      className={css.traces}
      preserveAspectRatio="xMidYMid slice"
    >
      <g fill="none" stroke="currentColor" strokeWidth="1.5">
        <path d="M-10 80h150l60 60h90l40 40v70" />
        <path d="M-10 120h120l80 80v110l50 50h110" />
        <path d="M-10 160h90l60 60v180l70 70h40" />
        <path d="M-10 200h60l40 40v220l90 90h120" />
        <path d="M-10 240h20l30 30v250l70 70h160" />
        <path d="M-10 40h200l50 50h190" />
      </g>
      <g className={css.lit} fill="none" strokeWidth="2">
        <path d="M-10 120h120l80 80v110l50 50h110" />
      </g>
      <g fill="currentColor">
        <circle cx="330" cy="250" r="5" />
        <circle cx="250" cy="470" r="5" />
        <circle cx="300" cy="550" r="5" />
        <circle cx="270" cy="590" r="5" />
      </g>
      <circle className={css.litDot} cx="350" cy="360" r="7" />
    </svg>
  )
}
