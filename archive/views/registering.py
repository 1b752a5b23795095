"""The intake desk's list of drafts and the registering screen."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
