"""Addresses of the intake."""

from django.urls import path

from ingest import joining_views, views

app_name = "ingest"
urlpatterns = [
    path("", views.desk, name="desk"),
    path("upload/", views.upload, name="upload"),
    path("batches/<uuid:pk>/", views.batch, name="batch"),
    path("batches/<uuid:pk>/retry/", views.retry_failed, name="retry-failed"),
    path("scans/<uuid:pk>/retry/", views.retry, name="retry"),
    path("scans/<uuid:pk>/dismiss/", views.dismiss, name="dismiss"),
    *joining_views.urlpatterns,
]
