import { createTheme, type MantineColorsTuple } from '@mantine/core'

const petrol: MantineColorsTuple = [
  '#e8f3f6',
  '#d0e4ea',
  '#a3cbd6',
  '#73b0c1',
  '#4b98ae',
  '#2f86a0',
  '#1b7189',
  '#135d73',
  '#0f4c5f',
  '#0a3a4a',
]
const copper: MantineColorsTuple = [
  '#fbf1e8',
  '#f5ddcb',
  '#ecbd9b',
  '#e29c69',
  '#d98144',
  '#cf6f2c',
  '#b85c1d',
  '#9a4b16',
  '#7c3c12',
  '#5f2e0f',
]
const moss: MantineColorsTuple = [
  '#e8f5ed',
  '#cfe9da',
  '#a3d4b8',
  '#74be94',
  '#4dac76',
  '#2b9a5e',
  '#23854f',
  '#1d6f43',
  '#175a36',
  '#104427',
]
const brick: MantineColorsTuple = [
  '#fbecea',
  '#f5d3cf',
  '#e9a8a1',
  '#dd7b71',
  '#cf574b',
  '#c1433a',
  '#b3372f',
  '#a52f27',
  '#86261f',
  '#681d18',
]
/** Greys with a drop of petrol, so that dark surfaces belong to the same family as the rail. */
const dark: MantineColorsTuple = [
  '#e6edef',
  '#b3c0c5',
  '#8b9ba2',
  '#5d6c73',
  '#37474f',
  '#243137',
  '#151e22',
  '#0e1518',
  '#0a1114',
  '#070c0e',
]

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 6 },
  colors: { petrol, copper, moss, brick, dark },
  autoContrast: false,
  fontFamily: '"Plex Sans", system-ui, sans-serif',
  fontFamilyMonospace: '"Plex Mono", ui-monospace, monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '22px', lineHeight: '1.25' },
      h2: { fontSize: '15px', lineHeight: '1.35' },
      h3: { fontSize: '13px', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'sm',
  radius: { xs: '3px', sm: '6px', md: '8px', lg: '12px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Tooltip: { defaultProps: { openDelay: 200, withArrow: false } },
    Menu: { defaultProps: { shadow: 'md' } },
    Modal: { defaultProps: { radius: 'md', overlayProps: { backgroundOpacity: 0.35 } } },
  },
})
