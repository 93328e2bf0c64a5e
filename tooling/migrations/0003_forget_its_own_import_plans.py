from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tooling', '0002_move_imports_to_a_room_of_their_own'),
    ]

    operations = [
        migrations.DeleteModel(
            name='ImportRow',
        ),
        migrations.DeleteModel(
            name='ImportPlan',
        ),
    ]
