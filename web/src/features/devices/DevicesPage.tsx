import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { PageHead } from '@/ui'
import type { DeviceFilters } from './model'
import { DeviceTable } from './parts/DeviceTable'
import { FilterBar } from './parts/FilterBar'

interface DevicesPageProps {
  filters: DeviceFilters
  onFilters: (filters: DeviceFilters) => void
}

export function DevicesPage({ filters, onFilters }: DevicesPageProps) {
  const { t } = useTranslation()
  return (
    <>
      <PageHead
        title={t('devices.title')}
        actions={
          <Button
            renderRoot={(props) => <Link to="/devices/add" {...props} />}
            leftSection={<IconPlus size={16} />}
          >
            {t('devices.add')}
          </Button>
        }
      />
      <FilterBar filters={filters} onFilters={onFilters} />
      {/* Another question is another list: it starts at the top. */}
      <DeviceTable
        key={`${filters.status ?? ''}/${filters.search ?? ''}`}
        filters={filters}
        onClear={() => onFilters({})}
      />
    </>
  )
}
