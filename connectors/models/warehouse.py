"""A company's own databases, and whether they may be read at all."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped
from hub.people.models import User


class Warehouse(Timestamped):
    """A database that metrics are read from. Its address holds a password: encrypted, written, never read back."""

    kind = models.CharField(_("kind"), max_length=20)  # key in connectors.warehouse.kinds
    label = models.CharField(_("name"), max_length=80, unique=True)
    secret = models.BinaryField(_("address"), editable=False, default=b"")
    shown_as = models.CharField(_("where it leads"), max_length=300, editable=False)  # without user and password
    timeout_seconds = models.PositiveSmallIntegerField(_("longest time of a query, seconds"), default=10)
    may_write = models.BooleanField(default=False, editable=False)  # what its role was last found to be able to do
    added_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)

    class Meta:
        verbose_name = _("database")
        verbose_name_plural = _("databases")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(timeout_seconds__gte=1, timeout_seconds__lte=30), name="connectors_warehouse_timeout"
            )
        ]

    def __str__(self) -> str:
        return self.label


class WarehousePermit(models.Model):
    """Whether databases may be read: off until a technical admin says so. One row, or none, which means no."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_given = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("permit to read databases")
        verbose_name_plural = _("permits to read databases")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="connectors_warehousepermit_one")]

    def __str__(self) -> str:
        return str(self.is_given)

    @classmethod
    def now(cls) -> "WarehousePermit | None":
        """Return the row with who decided and when; None where nobody ever did."""
        return cls.objects.select_related("by").filter(pk=1).first()

    @classmethod
    def is_open(cls) -> bool:
        return cls.objects.filter(pk=1, is_given=True).exists()
